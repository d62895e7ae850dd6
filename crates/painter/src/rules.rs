//! The rules that were published, as far as this process knows them: a chain in which each set has one before it. A log
//! follows the chain: its owner asks for what lies behind its own.
//!
//! Compiled rules are large, and of a long chain few are ever asked for: the newest, and those that some log is still at.
//! So a set is compiled when it is asked for, and only the last few stay.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
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
    /// What was compiled, the last asked for last. Whoever compiles holds it, so that others wait for what they need too.
    made: Mutex<VecDeque<(RulesVersion, Made)>>,
}

/// One set of the chain.
struct Link {
    version: RulesVersion,
    make: Arc<dyn Fn() -> Made + Send + Sync>,
}

/// Compiled rules; `Err`: why this process can't run them.
type Made = Result<Rules, String>;

/// So many compiled sets stay: the newest, those before and behind a sweep, and one more.
const KEPT: usize = 4;

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

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.version).finish()
    }
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
        self.add_source(version, move || rules.clone());
    }

    /// As [`add`](Self::add); `make` compiles it, perhaps more than once, on the thread that asks for it.
    pub fn add_source(
        &self,
        version: RulesVersion,
        make: impl Fn() -> Result<Rules, String> + Send + Sync + 'static,
    ) {
        let mut chain = self.0.chain.write().unwrap_or_else(PoisonError::into_inner);
        if chain.iter().all(|link| link.version != version) {
            chain.push(Link { version, make: Arc::new(make) });
            self.0.length.store(chain.len() as u64, Ordering::Release);
        }
    }

    /// Tells whether `version` was heard of, without compiling it.
    #[must_use]
    pub fn holds(&self, version: RulesVersion) -> bool {
        self.chain().iter().any(|link| link.version == version)
    }

    /// What is known of `version`. May take as long as compiling it.
    #[must_use]
    pub fn get(&self, version: RulesVersion) -> Known {
        match self.make(version) {
            Some(Ok(rules)) => Known::Usable(rules),
            Some(Err(why)) => Known::Unusable(why),
            None => Known::Unheard,
        }
    }

    /// The newest rules behind `version` that this process can run; `None`: there are none, and the ones in force stay.
    /// Sets in between that nobody switched to are passed over.
    #[must_use]
    pub fn after(&self, version: RulesVersion) -> Option<Rules> {
        let place = self.chain().iter().position(|link| link.version == version)?;
        self.newest_from(place + 1)
    }

    /// The newest rules that this process can run: what an empty log begins with.
    #[must_use]
    pub fn newest(&self) -> Option<Rules> {
        self.newest_from(0)
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

    fn newest_from(&self, place: usize) -> Option<Rules> {
        let versions: Vec<_> = self.chain()[place..].iter().map(|link| link.version).collect();
        versions.into_iter().rev().find_map(|version| self.make(version)?.ok())
    }

    /// Compiles `version`, unless it is at hand; `None`: it isn't in the chain.
    fn make(&self, version: RulesVersion) -> Option<Made> {
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        let known = made.iter().position(|(known, _)| *known == version);
        let rules = match known.and_then(|place| made.remove(place)) {
            Some((_, rules)) => rules,
            None => {
                let link = |link: &&Link| link.version == version;
                let make = self.chain().iter().find(link).map(|link| Arc::clone(&link.make))?;
                make()
            }
        };
        made.push_back((version, rules.clone()));
        if made.len() > KEPT {
            made.pop_front();
        }
        Some(rules)
    }

    fn chain(&self) -> RwLockReadGuard<'_, Vec<Link>> {
        self.0.chain.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tzeva_audience::{CheckSettings, SourceFile, compile};
    use tzeva_model::Millis;

    fn version(number: u64) -> RulesVersion {
        RulesVersion::new(number)
    }

    /// Rules under that version.
    fn rules(number: u64) -> Rules {
        let text = "audience: a\nenter: { event: { name: page_viewed } }\n---\n\
                    paint:\n  half_life: { shop: 1d, brand: 1d, category: 1d, product: 1d }\n  events: { page_viewed: { shop: 1 } }\n";
        let file = SourceFile { path: "a.yaml".into(), text: text.into() };
        let mut set = compile(&[file], &CheckSettings::default()).rules.unwrap();
        set.version = version(number);
        Rules::compile(Arc::new(set), Millis::DAY.times(400))
    }

    /// A chain of so many, of which every third can't be run, and how often any was compiled.
    fn chain(length: u64) -> (SharedRules, Arc<AtomicUsize>) {
        let (shared, compiled) = (SharedRules::default(), Arc::new(AtomicUsize::new(0)));
        for number in 1..=length {
            let compiled = Arc::clone(&compiled);
            shared.add_source(version(number), move || {
                compiled.fetch_add(1, Ordering::Relaxed);
                if number % 3 == 0 { Err(format!("no {number}")) } else { Ok(rules(number)) }
            });
        }
        (shared, compiled)
    }

    #[test]
    fn of_a_long_chain_only_what_is_asked_for_is_compiled() {
        let (shared, compiled) = chain(101);
        let count = || compiled.load(Ordering::Relaxed);
        assert!(shared.holds(version(7)) && !shared.holds(version(102)));
        assert_eq!((shared.length(), count()), (101, 0));
        for _ in 0..3 {
            assert_eq!(shared.newest().unwrap().version(), version(101));
            assert!(
                matches!(shared.get(version(7)), Known::Usable(r) if r.version() == version(7))
            );
            assert!(matches!(shared.get(version(9)), Known::Unusable(why) if why == "no 9"));
            assert!(matches!(shared.get(version(102)), Known::Unheard));
            assert_eq!(shared.after(version(7)).unwrap().version(), version(101));
        }
        assert_eq!(count(), 3, "each once");
    }

    #[test]
    fn however_many_are_asked_for_few_stay_and_each_is_what_it_was() {
        let (shared, compiled) = chain(50);
        for number in (1..=50).chain(1..=50) {
            match shared.get(version(number)) {
                Known::Usable(rules) => assert_eq!(rules.version(), version(number)),
                Known::Unusable(why) => assert_eq!(why, format!("no {number}")),
                Known::Unheard => panic!("{number} is in the chain"),
            }
        }
        assert_eq!(compiled.load(Ordering::Relaxed), 100, "none is there the second time");
        assert_eq!(shared.0.made.lock().unwrap().len(), KEPT);
    }

    #[test]
    fn the_newest_that_can_be_run_counts() {
        let (shared, _) = chain(3);
        assert_eq!(shared.newest().unwrap().version(), version(2));
        assert_eq!(shared.after(version(1)).unwrap().version(), version(2));
        assert!(shared.after(version(2)).is_none(), "there is none behind it");
        assert!(shared.after(version(9)).is_none(), "it isn't in the chain");
        shared.add(version(2), Err("again".into()));
        assert_eq!(shared.length(), 3, "one that is there already is passed over");
    }
}
