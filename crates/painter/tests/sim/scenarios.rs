//! The smallest run that ever broke each of these.

use crate::check;
use crate::kill::{At, Kill, is_ack};
use crate::process::Run;
use crate::shop;
use tzeva_commit::port::StoreReply;
use tzeva_model::Millis;
use tzeva_painter::Input;
use tzeva_testkit::sim::Faults;

/// The first dies when a commit counts and nothing of it is published or applied. The second publishes and applies it,
/// and dies before it decides anything. The third finds in the store what its log says: a marker names the epoch that its
/// commit was decided under, not that of the owner who applied it.
#[test]
fn a_marker_set_by_a_successor_names_the_epoch_of_the_commit() {
    let mut run = Run::new(1, Faults::default());
    run.kills.push_back(Kill {
        at: At::Came(|scene, input| scene.state == "owning" && is_ack(input)),
        nth: 1,
    });
    run.kills.push_back(Kill {
        at: At::Came(|_, input| matches!(input, Input::Store(StoreReply::Applied(..)))),
        nth: 1,
    });
    shop::produce(&run.world, 0);
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND.times(2));
    assert!(run.kills.is_empty(), "both died where they should");
    run.settle();
    check::all(&run);
}
