//! The states of the model, small and flat so that millions of them are cheap.

/// The most records of a log: three claims, and three appends each of four epochs at most.
pub(crate) const LOG: usize = 15;
/// The most commits that count.
pub(crate) const SEQS: usize = 4;

/// A record: 0 is a claim; else epoch (the ordinal of its claim), seq, shards, more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Rec(pub(crate) u16);

/// A short list of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct List {
    pub(crate) len: u8,
    pub(crate) at: [Rec; SEQS],
}

/// How often each (seq, epoch) was folded in: two bits each; four seqs, epochs below 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bag(pub(crate) u32);

/// A shard of the store: one value, which every commit that touches the shard adds to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shard {
    pub(crate) marker: u8,
    pub(crate) bag: Bag,
}

/// A guarded apply of (prev, new].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Apply {
    pub(crate) shard: u8,
    pub(crate) prev: u8,
    pub(crate) new: u8,
    pub(crate) bag: Bag,
}

/// An append that waits for its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Flight {
    pub(crate) offset: u8,
    pub(crate) rec: Rec,
}

/// An owner, or one that believes it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner {
    pub(crate) epoch: u8,
    /// One past the last offset that is settled.
    pub(crate) next: u8,
    /// What it takes for true, and what is acked of a group that isn't closed.
    pub(crate) counted: List,
    pub(crate) held: List,
    pub(crate) flights: [Option<Flight>; 2],
    /// The marker that it applied or read last, and up to where its overlay was dropped.
    pub(crate) marker: [u8; 2],
    pub(crate) dropped: [u8; 2],
    /// Its cached values.
    pub(crate) view: [Option<Bag>; 2],
    pub(crate) projected: u8,
    pub(crate) apply: Option<Apply>,
}

/// How much may still go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Budget {
    pub(crate) claims: u8,
    pub(crate) crashes: u8,
    pub(crate) failovers: u8,
    pub(crate) lost: u8,
    pub(crate) orphans: u8,
    pub(crate) halves: u8,
    pub(crate) gaps: u8,
}

/// The whole world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) log: [Rec; LOG],
    pub(crate) len: u8,
    pub(crate) claims: u8,
    pub(crate) shards: [Shard; 2],
    /// Former states of each shard, newest last; the last is the present one.
    pub(crate) past: [[Option<Shard>; 3]; 2],
    pub(crate) published: [Rec; 8],
    pub(crate) published_len: u8,
    pub(crate) owners: [Option<Owner>; 2],
    /// An apply that nobody waits for, and an append.
    pub(crate) orphan: Option<Apply>,
    pub(crate) late: Option<Rec>,
    pub(crate) budget: Budget,
    pub(crate) half_done: bool,
}

// === impl Rec ===

impl Rec {
    pub(crate) const CLAIM: Self = Self(0);

    pub(crate) fn commit(epoch: u8, seq: u8, mask: u8, more: bool) -> Self {
        Self(u16::from(seq) | u16::from(epoch) << 4 | u16::from(mask) << 8 | u16::from(more) << 10)
    }

    pub(crate) fn seq(self) -> u8 {
        self.0.to_le_bytes()[0] & 15
    }

    pub(crate) fn epoch(self) -> u8 {
        self.0.to_le_bytes()[0] >> 4
    }

    pub(crate) fn touches(self, shard: usize) -> bool {
        self.0 >> (8 + shard) & 1 == 1
    }

    pub(crate) fn more(self) -> bool {
        self.0 >> 10 & 1 == 1
    }
}

// === impl List ===

impl List {
    pub(crate) fn push(&mut self, rec: Rec) {
        self.at[usize::from(self.len)] = rec;
        self.len += 1;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Rec> + '_ {
        self.at[..usize::from(self.len)].iter().copied()
    }

    pub(crate) fn append(&mut self, other: &mut Self) {
        other.iter().for_each(|rec| self.push(rec));
        *other = Self::default();
    }

    pub(crate) fn last(&self) -> Option<Rec> {
        self.iter().last()
    }

    pub(crate) fn contains(&self, rec: Rec) -> bool {
        self.iter().any(|one| one == rec)
    }

    /// What commits (above, upto] do to a shard.
    pub(crate) fn fold(&self, shard: usize, above: u8, upto: u8) -> Bag {
        let mut bag = Bag::default();
        for rec in self.iter() {
            if rec.touches(shard) && rec.seq() > above && rec.seq() <= upto {
                bag.add(rec);
            }
        }
        bag
    }
}

// === impl Bag ===

impl Bag {
    fn place(rec: Rec) -> u32 {
        2 * (4 * (u32::from(rec.seq()) - 1) + u32::from(rec.epoch()))
    }

    pub(crate) fn count(self, place: u32) -> u32 {
        self.0 >> place & 3
    }

    pub(crate) fn add(&mut self, rec: Rec) {
        self.add_at(Self::place(rec));
    }

    fn add_at(&mut self, place: u32) {
        if self.count(place) < 3 {
            self.0 += 1 << place;
        }
    }

    /// Adds all of `other`; with `once`, only what isn't there.
    pub(crate) fn union(mut self, other: Self, once: bool) -> Self {
        for place in (0..32).step_by(2) {
            if other.count(place) > 0 && !(once && self.count(place) > 0) {
                self.add_at(place);
            }
        }
        self
    }

    pub(crate) fn within(self, other: Self) -> bool {
        (0..32).step_by(2).all(|place| self.count(place) <= other.count(place))
    }
}

// === impl State ===

impl State {
    pub(crate) fn push(&mut self, rec: Rec) {
        self.log[usize::from(self.len)] = rec;
        self.len += 1;
        if rec == Rec::CLAIM {
            self.claims += 1;
        }
    }

    pub(crate) fn records(&self) -> &[Rec] {
        &self.log[..usize::from(self.len)]
    }

    /// Writes a shard, remembering what was there.
    pub(crate) fn write(&mut self, shard: usize, to: Shard) {
        if self.shards[shard] == to {
            return;
        }
        self.shards[shard] = to;
        if self.budget.failovers == 0 {
            return;
        }
        let past = &mut self.past[shard];
        match past.iter().position(Option::is_none) {
            Some(free) => past[free] = Some(to),
            None => {
                past.rotate_left(1);
                past[2] = Some(to);
            }
        }
    }

    /// The same for all that matters: owners are alike, and the past is past once no failover is left.
    pub(crate) fn canonical(mut self) -> Self {
        if self.owners[0] > self.owners[1] {
            self.owners.swap(0, 1);
        }
        if self.budget.failovers == 0 {
            self.past = Default::default();
        }
        self
    }
}
