//! The rules that were published, as far as this process knows them: a chain in which each set has one before it. A log
//! follows the chain: its owner asks for what lies behind its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tzeva_engine::Rules;
use tzeva_model::RulesVersion;

/// Published rules, shared by the owners of a process; whoever follows the publications adds to it.
#[derive(Clone, Debug, Default)]
pub struct SharedRules(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// How many sets there are: owners look here before they take the lock.
    length: AtomicU64,
    /// Somebody adds what is published from now on.
    followed: AtomicBool,
    chain: RwLock<Vec<Link>>,
}

/// One set of the chain.
#[derive(Debug)]
struct Link {
    version: RulesVersion,
    rules: Result<Rules, String>,
}

/// What is known of a version.
#[derive(Clone, Debug)]
pub enum Known {
    /// Its rules.
    Usable(Rules),
    /// It is published, and this process can't run it: why.
    Unusable(String),
    /// It was not heard of.
    Unheard,
}

// === impl SharedRules ===

impl SharedRules {
    /// A chain of one set.
    #[must_use]
    pub fn of(rules: Rules) -> Self {
        let shared = Self::default();
        shared.add(rules.version(), Ok(rules));
        shared
    }

    /// Adds the set that was published behind all others; `Err`: why this process can't run it. One that is there
    /// already is passed over.
    pub fn add(&self, version: RulesVersion, rules: Result<Rules, String>) {
        let mut chain = self.0.chain.write().unwrap_or_else(PoisonError::into_inner);
        if chain.iter().all(|link| link.version != version) {
            chain.push(Link { version, rules });
            self.0.length.store(chain.len() as u64, Ordering::Release);
        }
    }

    /// What is known of `version`.
    #[must_use]
    pub fn get(&self, version: RulesVersion) -> Known {
        match self.chain().iter().find(|link| link.version == version) {
            Some(Link { rules: Ok(rules), .. }) => Known::Usable(rules.clone()),
            Some(Link { rules: Err(why), .. }) => Known::Unusable(why.clone()),
            None => Known::Unheard,
        }
    }

    /// The newest rules behind `version` that this process can run; `None`: there are none, and the ones in force stay.
    /// Sets in between that nobody switched to are passed over.
    #[must_use]
    pub fn after(&self, version: RulesVersion) -> Option<Rules> {
        let chain = self.chain();
        let place = chain.iter().position(|link| link.version == version)?;
        chain[place + 1..].iter().rev().find_map(|link| link.rules.as_ref().ok().cloned())
    }

    /// The newest rules that this process can run: what an empty log begins with.
    #[must_use]
    pub fn newest(&self) -> Option<Rules> {
        self.chain().iter().rev().find_map(|link| link.rules.as_ref().ok().cloned())
    }

    /// From now on somebody adds what is published: a version that isn't here may be soon.
    pub fn follow(&self) {
        self.0.followed.store(true, Ordering::Release);
    }

    /// Tells whether somebody adds what is published.
    #[must_use]
    pub fn are_followed(&self) -> bool {
        self.0.followed.load(Ordering::Acquire)
    }

    /// How many sets there are; grows when one is added.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length.load(Ordering::Acquire)
    }

    fn chain(&self) -> RwLockReadGuard<'_, Vec<Link>> {
        self.0.chain.read().unwrap_or_else(PoisonError::into_inner)
    }
}
