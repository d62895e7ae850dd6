//! Which publications count: the chain, from records in the order of their topic.
//!
//! A publication is complete when its first and last part and all between them are there. It counts if it is the first
//! complete one after its parent, and its parent counts; the first of all has no parent. Others are *stale*: somebody
//! else was sooner. While a topic is whole this is the same as "its parent is what counted last": a publisher has read its
//! parent before. It says more when a compacted topic keeps only the last record of a key that was written twice, which
//! can put a child before its parent; such a child waits until the parent is complete.
//!
//! Whatever else a record may be is reported and passed over: see [`Flaw`].

use crate::part::{Written, key_of, read_key};
use crate::{Flaw, Publication, SourceFile};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use tzeva_model::RulesVersion;

/// The most flaws that are kept to be shown.
const MAX_FLAWS: usize = 64;

/// All publications met so far, and the chain of those that count.
#[derive(Clone, Debug, Default)]
pub struct Book {
    complete: HashMap<RulesVersion, Arc<Publication>>,
    /// Complete ones by parent, in the order in which they were completed.
    children: HashMap<Option<RulesVersion>, Vec<RulesVersion>>,
    chain: Vec<Arc<Publication>>,
    /// Parts of publications that aren't complete: by version and checksum of the files, so that parts of two writings
    /// under the same keys don't mix.
    open: BTreeMap<(RulesVersion, String), BTreeMap<u32, Written>>,
    flaws: VecDeque<Flaw>,
}

/// What a record came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fed {
    /// A part; more are needed.
    Part,
    /// It was known.
    Known,
    /// It completes a publication.
    Complete(Arc<Publication>, Standing),
    /// It is passed over.
    Flawed(Flaw),
}

/// Where a publication stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Counts,
    /// It counts for nothing, since this one took its place.
    Stale(Arc<Publication>),
    /// Its parent isn't known, or doesn't count itself.
    Apart,
}

// === impl Book ===

impl Book {
    /// Takes in the next record of the topic.
    ///
    /// `value`: `None` says that the key was deleted. Replay: a record that was met before changes nothing.
    pub fn feed(&mut self, key: &[u8], value: Option<&[u8]>) -> Fed {
        match self.try_feed(key, value) {
            Ok(fed) => fed,
            Err(flaw) => {
                if self.flaws.len() == MAX_FLAWS {
                    self.flaws.pop_front();
                }
                self.flaws.push_back(flaw.clone());
                Fed::Flawed(flaw)
            }
        }
    }

    /// The last publication that counts; `None`: there is none yet.
    #[must_use]
    pub fn head(&self) -> Option<&Arc<Publication>> {
        self.chain.last()
    }

    /// All that count, from the first to the head.
    #[must_use]
    pub fn chain(&self) -> &[Arc<Publication>] {
        &self.chain
    }

    /// Those that count after `version`, in order; `None` if that one doesn't count.
    #[must_use]
    pub fn after(&self, version: RulesVersion) -> Option<&[Arc<Publication>]> {
        let place = self.chain.iter().position(|counts| counts.version == version)?;
        Some(&self.chain[place + 1..])
    }

    /// A publication, whether it counts or not.
    #[must_use]
    pub fn get(&self, version: RulesVersion) -> Option<&Arc<Publication>> {
        self.complete.get(&version)
    }

    /// Where a publication stands; `None`: it isn't complete, or isn't there.
    #[must_use]
    pub fn standing(&self, version: RulesVersion) -> Option<Standing> {
        let publication = self.complete.get(&version)?;
        let place = usize::try_from(publication.ordinal).ok()?.checked_sub(1);
        Some(match place.and_then(|place| self.chain.get(place)) {
            Some(counts) if counts.version == version => Standing::Counts,
            Some(counts) if counts.parent == publication.parent => {
                Standing::Stale(Arc::clone(counts))
            }
            _ => Standing::Apart,
        })
    }

    /// Every complete publication, by place in the chain, then by time and version.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Publication>> {
        let mut all: Vec<_> = self.complete.values().cloned().collect();
        all.sort_by_key(|publication| (publication.ordinal, publication.at, publication.version));
        all
    }

    /// Versions of which some parts are there and others aren't.
    #[must_use]
    pub fn incomplete(&self) -> Vec<RulesVersion> {
        let mut versions: Vec<_> = self.open.keys().map(|(version, _)| *version).collect();
        versions.dedup();
        versions.retain(|version| !self.complete.contains_key(version));
        versions
    }

    /// What was passed over, the newest last; only so many are kept.
    pub fn flaws(&self) -> impl Iterator<Item = &Flaw> {
        self.flaws.iter()
    }

    fn try_feed(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<Fed, Flaw> {
        let (text, version, number) = read_key(key).map_err(|flaw| match (flaw, value) {
            (Flaw::Key { key }, Some([])) => Flaw::Nothing { key, what: "it is empty" },
            (Flaw::Key { key }, Some(value)) if key_of(value).is_none() => {
                Flaw::Nothing { key, what: "it is no record of a publication" }
            }
            (flaw, _) => flaw,
        })?;
        let Some(value) = value else { return Err(Flaw::Deleted { key: text.to_owned() }) };
        let written = Written::read(text, value)?;
        if self.complete.contains_key(&version) {
            return Ok(Fed::Known);
        }
        let writing = (version, written.files_check.clone());
        let parts = self.open.entry(writing.clone()).or_default();
        parts.insert(number, written);
        if !is_complete(parts) {
            return Ok(Fed::Part);
        }
        let parts = self.open.remove(&writing).unwrap_or_default();
        let publication = Arc::new(assembled(version, parts)?);
        // What others began under these keys is the same publication.
        self.open.retain(|(open, _), _| *open != version);
        self.children.entry(publication.parent).or_default().push(version);
        self.complete.insert(version, Arc::clone(&publication));
        self.lengthen();
        let standing = self.standing(version).unwrap_or(Standing::Apart);
        Ok(Fed::Complete(publication, standing))
    }

    /// Puts all that counts now onto the chain.
    fn lengthen(&mut self) {
        loop {
            let head = self.chain.last();
            let ordinal = head.map_or(1, |head| head.ordinal.saturating_add(1));
            let children = self.children.get(&head.map(|head| head.version));
            let next = children.into_iter().flatten().find_map(|child| {
                self.complete.get(child).filter(|child| child.ordinal == ordinal)
            });
            let Some(next) = next.cloned() else { return };
            self.chain.push(next);
        }
    }
}

fn is_complete(parts: &BTreeMap<u32, Written>) -> bool {
    // Keys are different numbers, so as many as the last says are all of them.
    parts.last_key_value().is_some_and(|(number, last)| {
        last.last && usize::try_from(*number).is_ok_and(|number| parts.len() == number + 1)
    })
}

/// Puts the files together, and believes nothing that the parts say about the whole.
fn assembled(version: RulesVersion, parts: BTreeMap<u32, Written>) -> Result<Publication, Flaw> {
    let wrong = |why| Flaw::Parts { version, why };
    let last = parts.len() - 1;
    let mut publication = None;
    let mut files: Vec<SourceFile> = Vec::new();
    let mut open = false;
    let mut check = String::new();
    for (number, part) in parts.into_values().enumerate() {
        if part.last != (number == last) {
            return Err(wrong("a part before the last says that it is the last"));
        }
        match (number, part.publication) {
            (0, Some(head)) => publication = head.publication(version),
            (0, None) => return Err(wrong("the first part doesn't say what it is part of")),
            (_, None) => {}
            (_, Some(_)) => return Err(wrong("a later part says what only the first does")),
        }
        for piece in part.files {
            match files.last_mut() {
                Some(file) if open && file.path == piece.path => file.text += &piece.text,
                _ if open => return Err(wrong("a file doesn't go on where it should")),
                _ => files.push(SourceFile { path: piece.path, text: piece.text }),
            }
            open = piece.more;
        }
        check = part.files_check;
    }
    let mut publication = publication.ok_or_else(|| wrong("a version in it isn't one"))?;
    if open {
        return Err(wrong("the last file has no end"));
    }
    publication.files = files;
    publication.check().map_err(|why| Flaw::TooMuch { version, why })?;
    if check != format!("{:016x}", publication.digest()) {
        return Err(wrong("the files are not those that were written"));
    }
    let first = publication.parent.is_some() || publication.ordinal == 1;
    if !first || publication.computed_version() != version {
        return Err(Flaw::Version { version });
    }
    Ok(publication)
}
