//! A look into the store without a port: blocking, for the command line and for tests.

use crate::lane::{read, shard_read};
use crate::settings::Target;
use crate::{RedisStoreError, Server, Settings};
use redis::aio::MultiplexedConnection;
use tokio::runtime::Runtime;
use tzeva_commit::Marker;
use tzeva_commit::port::ShardRead;
use tzeva_model::{Shard, VisitorId};

/// A connection of its own.
pub struct Viewer {
    runtime: Runtime,
    connection: MultiplexedConnection,
    target: Target,
}

// === impl Viewer ===

impl Viewer {
    /// Connects and checks the server.
    ///
    /// # Errors
    /// As of [`connect`](crate::connect).
    pub fn connect(settings: &Settings) -> Result<Self, RedisStoreError> {
        let target = settings.check()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(RedisStoreError::Thread)?;
        let connection = runtime.block_on(async {
            let mut connection = target.connect().await?;
            Server::ask(&target, &mut connection).await?;
            Ok::<_, RedisStoreError>(connection)
        })?;
        Ok(Self { runtime, connection, target })
    }

    /// The stored form of a visitor's profile.
    ///
    /// # Errors
    /// If the server can't be asked.
    pub fn read_profile(
        &mut self,
        visitor: &VisitorId,
    ) -> Result<Option<Vec<u8>>, RedisStoreError> {
        let shard = self.read(visitor.shard(), std::slice::from_ref(visitor))?;
        Ok(shard.profiles.into_iter().next().flatten())
    }

    /// The marker of a shard.
    ///
    /// # Errors
    /// If the server can't be asked, or a newer version wrote it.
    pub fn marker(&mut self, shard: Shard) -> Result<Option<Marker>, RedisStoreError> {
        Ok(self.read(shard, &[])?.marker)
    }

    /// What the server says of itself now: its memory, for the mean of a profile.
    ///
    /// # Errors
    /// If the server can't be asked.
    pub fn server(&mut self) -> Result<Server, RedisStoreError> {
        self.runtime.block_on(Server::ask(&self.target, &mut self.connection))
    }

    fn read(&mut self, shard: Shard, visitors: &[VisitorId]) -> Result<ShardRead, RedisStoreError> {
        let command = read(&self.target.prefix, shard, visitors);
        let answer = self
            .runtime
            .block_on(command.query_async(&mut self.connection))
            .map_err(RedisStoreError::on(&self.target.address, "read a profile from"))?;
        shard_read(shard, visitors.len(), answer).map_err(|error| RedisStoreError::Unfit {
            address: self.target.address.clone(),
            problem: format!("holds what can't be read: {error}"),
        })
    }
}
