//! Whether folded history has a part in a truth, or might have one.
//!
//! A condition that counted a cell is not exact. Nor is one that asks for what cells can't tell, if the folded events in
//! its window would change it, were all of them meant.

use crate::direct::{Lens, cell_tag, shop, window};
use crate::sum::in_cells;
use crate::view::View;
use tzeva_audience::{EventLeaf, LastLeaf, Leaf, SequenceLeaf};
use tzeva_model::{NameId, UnixMillis};
use tzeva_profile::Cell;

// === impl Lens ===

impl Lens {
    /// Tells whether the truth of `leaf` rests on kept strokes alone.
    pub fn is_exact(self, leaf: &Leaf, view: View<'_>, now: UnixMillis) -> bool {
        let marks = self.marks(leaf, view, now);
        if marks.iter().any(|mark| mark.stroke.is_none()) {
            return false;
        }
        match leaf {
            Leaf::Event(event) => {
                let kept = marks.iter().fold(0u32, |sum, mark| sum.saturating_add(mark.count));
                self.count_is_sure(event, u64::from(kept), view, now)
            }
            Leaf::Last(LastLeaf { event, filter, .. }) => {
                let last = marks.first().map(|mark| mark.at);
                let mut hidden = self.folded(event.id(), view, now);
                cell_tag(filter).is_some() || hidden.all(|cell| last >= Some(cell.last))
            }
            Leaf::Sum(sum) => {
                let window = window(sum.within, self.max_age);
                let mut hidden = self.folded(sum.event.id(), view, now);
                in_cells(&sum.of, &sum.filter) || !hidden.any(|cell| now < cell.last + window)
            }
            Leaf::Sequence(SequenceLeaf { steps, .. }) => {
                let folded = |id: NameId| self.folded(id, view, now).next().is_some();
                !marks.is_empty() || !steps.iter().any(|step| folded(step.name.id()))
            }
            _ => true,
        }
    }

    fn count_is_sure(self, leaf: &EventLeaf, kept: u64, view: View<'_>, now: UnixMillis) -> bool {
        if cell_tag(&leaf.filter).is_some() {
            return true;
        }
        let window = window(leaf.within, self.max_age);
        let floor = self.floor(leaf, view, now).map(|mark| mark.at);
        let hidden = self.folded(leaf.name.id(), view, now);
        let hidden =
            hidden.filter(|cell| now < cell.last + window && floor.is_none_or(|at| cell.last > at));
        let most = kept + hidden.map(|cell| u64::from(cell.count)).sum::<u64>();
        let (low, high) = leaf.count.range();
        // From what is kept to the most there may be, the truth stays what it is.
        most <= high && kept >= low || most < low || kept > high
    }

    /// The cells of all events of a name that still count.
    fn folded<'a>(
        self,
        event: NameId,
        view: View<'a>,
        now: UnixMillis,
    ) -> impl Iterator<Item = &'a Cell> {
        let cells = view.cells(event, shop()).iter();
        cells.filter(move |cell| cell.last <= now && now < cell.last + self.max_age)
    }
}
