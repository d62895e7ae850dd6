//! A look into the store without a port: blocking, for the command line and for tests.

use crate::lane::{read, scan, scan_page, shard_read};
use crate::settings::Target;
use crate::{RedisStoreError, Server, Settings};
use redis::aio::MultiplexedConnection;
use std::collections::BTreeMap;
use tokio::runtime::Runtime;
use tzeva_commit::Marker;
use tzeva_commit::port::{PortError, ShardRead};
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

    /// All profiles of a shard, as they are stored. Not at one moment: one that is written meanwhile may be there as it was
    /// before or after.
    ///
    /// # Errors
    /// If the server can't be asked, or something else lies there.
    pub fn read_shard(
        &mut self,
        shard: Shard,
    ) -> Result<BTreeMap<VisitorId, Vec<u8>>, RedisStoreError> {
        let mut profiles = BTreeMap::new();
        let mut cursor = 0;
        loop {
            let command = scan(&self.target.prefix, shard, cursor);
            let answer = self
                .runtime
                .block_on(command.query_async(&mut self.connection))
                .map_err(RedisStoreError::on(&self.target.address, "read profiles from"))?;
            let page = scan_page(shard, answer).map_err(|error| self.unfit(&error))?;
            // A walk may meet a profile twice.
            profiles.extend(page.profiles);
            match page.next {
                Some(next) => cursor = next,
                None => return Ok(profiles),
            }
        }
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
        shard_read(shard, visitors.len(), answer).map_err(|error| self.unfit(&error))
    }

    fn unfit(&self, error: &PortError) -> RedisStoreError {
        RedisStoreError::Unfit {
            address: self.target.address.clone(),
            problem: format!("holds what can't be read: {error}"),
        }
    }
}
