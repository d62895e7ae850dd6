//! What can happen next.

use super::Protocol;
use super::rules::judge;
use super::state::{Apply, Bag, Flight, Owner, Rec, Shard, State};

/// What happened, for a trace: who, what, and three numbers that say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Act(pub(crate) u8, pub(crate) &'static str, pub(crate) [u8; 3]);

/// What follows: the step, the state after it, what it broke.
pub(crate) type Next = (Act, State, Option<&'static str>);

/// Collects what can happen next.
pub(crate) struct Steps<'a> {
    protocol: &'a Protocol,
    state: State,
    pub(crate) next: Vec<Next>,
}

/// What an apply comes back with.
enum Answer {
    Applied(Shard),
    Higher(u8),
    Lower,
}

// === impl Steps ===

impl<'a> Steps<'a> {
    pub(crate) fn of(protocol: &'a Protocol, state: State) -> Vec<Next> {
        let mut steps = Self { protocol, state, next: Vec::with_capacity(24) };
        for who in 0..2 {
            match state.owners[usize::from(who)] {
                None => steps.claim(who),
                Some(owner) => {
                    if protocol.store {
                        steps.read(who, owner);
                    }
                    steps.append(who, owner);
                    steps.ack(who, owner);
                    if protocol.store {
                        steps.apply(who, owner);
                    }
                    steps.project(who, owner);
                    steps.crash(who);
                }
            }
        }
        steps.world();
        steps.next
    }

    fn go(&mut self, act: Act, change: impl FnOnce(&mut State)) {
        self.go_or_break(act, None, change);
    }

    fn go_or_break(
        &mut self,
        act: Act,
        broke: Option<&'static str>,
        change: impl FnOnce(&mut State),
    ) {
        let mut state = self.state;
        change(&mut state);
        self.next.push((act, state, broke));
    }

    /// Steps 1 and 2.
    fn claim(&mut self, who: u8) {
        if self.state.budget.claims == 0 {
            return;
        }
        let protocol = *self.protocol;
        let act = Act(who, "claims and recovers; log, seq", [self.state.len, 0, 0]);
        self.go(act, |state| {
            state.budget.claims -= 1;
            if protocol.claims || state.claims == 0 {
                state.push(Rec::CLAIM);
            }
            let published = state.published[..usize::from(state.published_len)].iter();
            let markers = state.shards.map(|shard| shard.marker);
            state.owners[usize::from(who)] = Some(Owner {
                epoch: state.claims,
                next: state.len,
                counted: judge(state.records(), &protocol).counts,
                marker: markers,
                dropped: markers,
                projected: published.map(|rec| rec.seq()).max().unwrap_or(0),
                ..Owner::default()
            });
        });
    }

    /// Step 3, and the cache that forgets.
    fn read(&mut self, who: u8, owner: Owner) {
        let idle = owner.flights[0].is_none();
        for shard in 0..2 {
            let there = self.state.shards[shard];
            let number = u8::try_from(shard).unwrap_or(0);
            if owner.view[shard].is_some() {
                if idle && owner.held.len == 0 {
                    self.go(Act(who, "evicts shard", [number, 0, 0]), |state| {
                        owner_of(state, who).view[shard] = None;
                    });
                }
            } else if self.protocol.checks_reads && there.marker != owner.marker[shard] {
                if owner.apply.is_none() && idle {
                    let act = Act(
                        who,
                        "reads another marker and recovers; shard, marker",
                        [number, there.marker, 0],
                    );
                    self.go(act, |state| refresh(state, who));
                }
            } else {
                let base =
                    if self.protocol.checks_reads && owner.dropped[shard] == owner.marker[shard] {
                        there.marker
                    } else {
                        owner.dropped[shard]
                    };
                let overlay = mine(&owner).fold(shard, base, 15);
                let view = there.bag.union(overlay, self.protocol.profiles_know_seq);
                self.go(Act(who, "reads shard, marker", [number, there.marker, 0]), |state| {
                    owner_of(state, who).view[shard] = Some(view);
                });
            }
        }
    }

    /// Steps 4 and 5: decide, append; with luck it is written.
    fn append(&mut self, who: u8, owner: Owner) {
        let before = mine(&owner);
        let seq = before.len + 1;
        if seq > self.protocol.seqs || owner.flights[1].is_some() {
            return;
        }
        let open = before.last().is_some_and(Rec::more);
        let masks: &[u8] = if self.protocol.store { &[1, 2, 3] } else { &[1] };
        for &mask in masks {
            let needs = (0..2).filter(|shard| mask >> shard & 1 == 1);
            if self.protocol.store && needs.clone().any(|shard| owner.view[shard].is_none()) {
                continue;
            }
            for more in [false, true] {
                if more && (open || !self.protocol.groups || seq == self.protocol.seqs) {
                    continue;
                }
                let rec = Rec::commit(owner.epoch, seq, mask, more);
                self.write(who, owner, rec);
            }
        }
    }

    fn write(&mut self, who: u8, owner: Owner, rec: Rec) {
        let truth = judge(self.state.records(), self.protocol).fits();
        let mut written = self.state;
        written.push(rec);
        let fits = judge(written.records(), self.protocol).fits().len > truth.len;
        let stale = |shard: &usize| {
            rec.touches(*shard) && owner.view[*shard] != Some(truth.fold(*shard, 0, 15))
        };
        let wrong = self.protocol.store && fits && (0..2).any(|shard| stale(&shard));
        let broke = wrong.then_some("a decision was made on what is not true");
        let numbers = [rec.seq(), rec.0.to_le_bytes()[1] & 3, u8::from(rec.more())];
        let offset = self.state.len;
        self.go_or_break(Act(who, "appends seq, shards, more", numbers), broke, |state| {
            state.push(rec);
            let owner = owner_of(state, who);
            sent(owner, rec);
            let free = usize::from(owner.flights[0].is_some());
            owner.flights[free] = Some(Flight { offset, rec });
        });
        if self.state.budget.lost == 0 {
            return;
        }
        let trusts = self.protocol.trusts_unknown;
        let act = Act(who, "appends, never written, unknown; seq, shards, more", numbers);
        self.go(act, |state| {
            state.budget.lost -= 1;
            unknown(state, who, rec, trusts);
        });
        if self.state.late.is_none() && !trusts {
            let act = Act(who, "appends, written late, unknown; seq, shards, more", numbers);
            self.go(act, |state| {
                state.budget.lost -= 1;
                state.late = Some(rec);
                state.owners[usize::from(who)] = None;
            });
        }
    }

    /// Step 5: what counts.
    fn ack(&mut self, who: u8, owner: Owner) {
        let Some(Flight { offset, rec }) = owner.flights[0] else { return };
        let between = &self.state.records()[usize::from(owner.next)..usize::from(offset)];
        let fenced = self.protocol.contiguity && between.contains(&Rec::CLAIM);
        let numbers = [rec.seq(), offset, owner.next];
        if fenced {
            self.go(
                Act(who, "is acked behind a claim and fenced; seq, offset, next", numbers),
                |state| {
                    drop_owner(state, who);
                },
            );
        } else {
            let truth = judge(self.state.records(), self.protocol).counts;
            let mut release = owner.held;
            release.push(rec);
            let closes = !rec.more();
            let wrong = closes && release.iter().any(|rec| !truth.contains(rec));
            let broke = wrong.then_some("an owner counts what every reader ignores");
            self.go_or_break(Act(who, "is acked; seq, offset, next", numbers), broke, |state| {
                let owner = owner_of(state, who);
                owner.next = offset + 1;
                owner.flights = [owner.flights[1], None];
                owner.held.push(rec);
                if closes {
                    owner.counted.append(&mut owner.held);
                }
            });
        }
        if self.state.budget.lost > 0 {
            let trusts = self.protocol.trusts_unknown;
            self.go(Act(who, "never hears of its append; seq", numbers), |state| {
                state.budget.lost -= 1;
                if trusts {
                    owner_of(state, who).flights = [owner.flights[1], None];
                }
                unknown(state, who, rec, trusts);
            });
        }
    }

    /// Step 6.
    fn apply(&mut self, who: u8, owner: Owner) {
        let Some(apply) = owner.apply else {
            for shard in 0..2_u8 {
                let place = usize::from(shard);
                for rec in owner.counted.iter() {
                    let (prev, new) = (owner.marker[place], rec.seq());
                    if rec.touches(place) && new > prev && !rec.more() {
                        let bag = owner.counted.fold(place, prev, new);
                        self.go(
                            Act(who, "sends an apply; shard, prev, new", [shard, prev, new]),
                            |state| {
                                owner_of(state, who).apply = Some(Apply { shard, prev, new, bag });
                            },
                        );
                    }
                }
            }
            return;
        };
        let numbers = [apply.shard, apply.prev, apply.new];
        let place = usize::from(apply.shard);
        let idle = owner.flights[0].is_none() && owner.held.len == 0;
        let answer = self.answer(apply);
        match answer {
            Answer::Applied(to) => {
                self.go(Act(who, "applies; shard, prev, new", numbers), |state| {
                    state.write(place, to);
                    settle(owner_of(state, who), place, apply.new);
                });
            }
            Answer::Higher(there) => {
                self.go(Act(who, "finds it applied; shard, prev, new", numbers), |state| {
                    settle(owner_of(state, who), place, there.max(apply.new));
                });
            }
            Answer::Lower if idle => {
                self.go(Act(who, "finds the store behind and recovers; shard", numbers), |state| {
                    refresh(state, who);
                });
            }
            Answer::Lower => {}
        }
        if !idle {
            return;
        }
        if let Answer::Applied(to) = answer
            && self.state.budget.halves > 0
        {
            self.go(Act(who, "applies half and recovers; shard, prev, new", numbers), |state| {
                state.budget.halves -= 1;
                state.half_done = true;
                let marker = state.shards[place].marker;
                state.write(place, Shard { marker, ..to });
                refresh(state, who);
            });
        }
        if self.state.budget.orphans > 0 && self.state.orphan.is_none() {
            self.go(Act(who, "hears nothing of its apply and recovers; shard", numbers), |state| {
                state.budget.orphans -= 1;
                state.orphan = Some(apply);
                refresh(state, who);
            });
        }
    }

    fn answer(&self, apply: Apply) -> Answer {
        let there = self.state.shards[usize::from(apply.shard)];
        let inside = (apply.prev..apply.new).contains(&there.marker);
        if inside || !self.protocol.guards {
            let bag = there.bag.union(apply.bag, self.protocol.profiles_know_seq);
            Answer::Applied(Shard { marker: apply.new, bag })
        } else if there.marker >= apply.new {
            Answer::Higher(there.marker)
        } else {
            Answer::Lower
        }
    }

    /// Step 7.
    fn project(&mut self, who: u8, owner: Owner) {
        let at = usize::from(owner.projected);
        let room = usize::from(self.state.published_len) + 2 <= self.state.published.len();
        if !self.protocol.projects || owner.projected >= owner.counted.len || !room {
            return;
        }
        let first = owner.counted.at[at];
        self.go(Act(who, "publishes", [first.seq(), 0, 0]), |state| {
            publish(state, first);
            owner_of(state, who).projected += 1;
        });
        if self.state.budget.gaps > 0 && owner.projected + 1 < owner.counted.len {
            let second = owner.counted.at[at + 1];
            self.go(
                Act(who, "fails to publish one, publishes the next", [second.seq(), 0, 0]),
                |state| {
                    state.budget.gaps -= 1;
                    publish(state, second);
                    state.owners[usize::from(who)] = None;
                },
            );
        }
    }

    fn crash(&mut self, who: u8) {
        if self.state.budget.crashes > 0 {
            self.go(Act(who, "crashes", [0; 3]), |state| {
                state.budget.crashes -= 1;
                drop_owner(state, who);
            });
        }
    }

    /// What happens by itself.
    fn world(&mut self) {
        if let Some(rec) = self.state.late {
            self.go(Act(9, "a late append is written; seq", [rec.seq(), 0, 0]), |state| {
                state.late = None;
                state.push(rec);
            });
        }
        if let Some(apply) = self.state.orphan {
            let answer = self.answer(apply);
            let numbers = [apply.shard, apply.prev, apply.new];
            self.go(Act(9, "a late apply arrives; shard, prev, new", numbers), |state| {
                state.orphan = None;
                if let Answer::Applied(to) = answer {
                    state.write(usize::from(apply.shard), to);
                }
            });
        }
        if self.state.budget.failovers == 0 || !self.protocol.store {
            return;
        }
        let elsewhere = self.protocol.marker_elsewhere;
        for shard in 0..2 {
            let past = self.state.past[shard];
            let count = past.iter().flatten().count();
            let former = past.into_iter().flatten().take(count.saturating_sub(1));
            for (at, there) in former.enumerate() {
                let number = u8::try_from(shard).unwrap_or(0);
                self.go(
                    Act(9, "a shard fails over; shard, marker", [number, there.marker, 0]),
                    |state| {
                        state.budget.failovers -= 1;
                        let kept = state.shards[shard].marker;
                        let marker = if elsewhere { kept } else { there.marker };
                        state.shards[shard] = Shard { marker, ..there };
                        state.past[shard][at + 1..].fill(None);
                    },
                );
            }
        }
    }
}

/// All that an owner believes to be true or on its way.
fn mine(owner: &Owner) -> super::state::List {
    let mut all = owner.counted;
    let mut held = owner.held;
    all.append(&mut held);
    owner.flights.iter().flatten().for_each(|flight| all.push(flight.rec));
    all
}

fn owner_of(state: &mut State, who: u8) -> &mut Owner {
    state.owners[usize::from(who)].get_or_insert_default()
}

/// An owner goes back to step 1 without a foreign claim since its last: it keeps what it counted.
fn refresh(state: &mut State, who: u8) {
    let markers = state.shards.map(|shard| shard.marker);
    let owner = owner_of(state, who);
    owner.marker = markers;
    owner.dropped = markers;
    owner.view = [None; 2];
    owner.apply = None;
}

fn settle(owner: &mut Owner, shard: usize, marker: u8) {
    owner.apply = None;
    owner.marker[shard] = marker;
    owner.dropped[shard] = marker;
}

fn sent(owner: &mut Owner, rec: Rec) {
    for shard in 0..2 {
        if let (true, Some(view)) = (rec.touches(shard), &mut owner.view[shard]) {
            let mut alone = Bag::default();
            alone.add(rec);
            *view = view.union(alone, false);
        }
    }
}

/// An append of unknown fate ends the epoch, unless it is taken for a success.
fn unknown(state: &mut State, who: u8, rec: Rec, trusts: bool) {
    if !trusts {
        state.owners[usize::from(who)] = None;
        return;
    }
    let owner = owner_of(state, who);
    if owner.flights[0].is_none() && !mine(owner).contains(rec) {
        sent(owner, rec);
    }
    owner.counted.push(rec);
}

/// An owner is gone; its apply may still be on its way.
fn drop_owner(state: &mut State, who: u8) {
    if let Some(owner) = state.owners[usize::from(who)].take()
        && state.orphan.is_none()
    {
        state.orphan = owner.apply;
    }
}

fn publish(state: &mut State, rec: Rec) {
    state.published[usize::from(state.published_len)] = rec;
    state.published_len += 1;
}
