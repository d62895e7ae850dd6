//! Fetches writers' schemas by a thread of its own. Trouble of the registry is retried for as long as it lasts, since a
//! record whose schema can't be asked for is not a bad record; "not found" and "not Avro" are answers.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tzeva_decode::SchemaKey;
use tzeva_model::Partition;
use tzeva_painter::{Inbox, Input, Schemas};
use tzeva_registry::{Answer, Auth, Blocking, Registry, Secret, Settings};
use tzeva_settings::RegistrySettings;

/// The way to the thread.
pub(super) struct Fetcher {
    wishes: Mutex<Sender<Wish>>,
}

struct Wish {
    partition: Partition,
    key: SchemaKey,
    inbox: Inbox,
}

/// The pause after a failed round of attempts.
const PAUSE: Duration = Duration::from_secs(2);

// === impl Fetcher ===

impl Fetcher {
    pub(super) fn start(url: &str, given: &RegistrySettings) -> anyhow::Result<Self> {
        let mut settings = Settings::new(url);
        if let Some(user) = &given.username {
            let password = given.password.as_ref().map_or("", |password| password.expose());
            settings.auth = Auth::Basic { user: user.clone(), password: Secret::new(password) };
        }
        let registry = Blocking::new(Arc::new(Registry::new(&settings)?))?;
        let (wishes, inbox) = channel();
        std::thread::Builder::new()
            .name("tzeva-registry".into())
            .spawn(move || fetch_all(&registry, &inbox))?;
        Ok(Self { wishes: Mutex::new(wishes) })
    }
}

impl Schemas for Fetcher {
    fn fetch(&self, partition: Partition, key: SchemaKey, inbox: &Inbox) {
        let wish = Wish { partition, key, inbox: inbox.clone() };
        let wishes = self.wishes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if wishes.send(wish).is_err() {
            tracing::error!("the registry's thread has ended: a partition waits for its schema");
        }
    }
}

fn fetch_all(registry: &Blocking, wishes: &Receiver<Wish>) {
    while let Ok(Wish { partition, key, inbox }) = wishes.recv() {
        let schema = match key {
            SchemaKey::Id(id) => fetch(registry, id),
            // The registry's interface knows ids alone.
            SchemaKey::Fingerprint(_) | SchemaKey::File => None,
        };
        inbox.send(partition, Input::Schema(key, schema));
    }
}

fn fetch(registry: &Blocking, id: u32) -> Option<String> {
    loop {
        match registry.schema(id) {
            Ok(Answer::Schema(text)) => return Some(text.as_ref().into()),
            Ok(Answer::NotAvro(kind)) => {
                tracing::warn!(id, %kind, "this schema is not Avro: its records become dead letters");
                return None;
            }
            Ok(Answer::NotFound) => return None,
            Err(error) => {
                let transient = error.is_transient();
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    id,
                    error,
                    transient,
                    "the schema registry gave no answer: asking again"
                );
                // Nobody wakes this thread: it has nothing to do but wait.
                std::thread::park_timeout(PAUSE);
            }
        }
    }
}
