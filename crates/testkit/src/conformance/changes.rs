//! The laws of a changes port.

use super::Replies;
use tzeva_commit::port::{Changes, ChangesReply, Outgoing, Ticket};
use tzeva_model::{ChangeNumber, Partition};

/// Runs all laws of a changes port on two partitions that nobody has published to.
///
/// # Panics
/// At the first law that is broken.
pub fn changes_laws(
    changes: &mut dyn Changes,
    replies: &mut Replies<ChangesReply>,
    (one, other): (Partition, Partition),
) {
    assert_eq!(tail(changes, replies, one), None, "nothing was published");
    publish(changes, replies, one, (1..=10).map(change).collect());
    assert_eq!(tail(changes, replies, one), Some(ChangeNumber::new(10)));
    assert_eq!(tail(changes, replies, other), None, "partitions count for themselves");

    // Names say nothing of n; and neither does an empty request.
    let name = Outgoing::Name { key: "brand/00000000000000aa".into(), text: "Acme".into() };
    publish(changes, replies, one, vec![name]);
    publish(changes, replies, one, Vec::new());
    assert_eq!(tail(changes, replies, one), Some(ChangeNumber::new(10)));

    // A projector that doesn't know how far it came publishes again.
    publish(changes, replies, one, (8..=12).map(change).collect());
    assert_eq!(tail(changes, replies, one), Some(ChangeNumber::new(12)));

    // Many at once, several requests in flight, answered in order.
    for (ticket, from) in [(11, 13), (12, 1_013), (13, 2_013)] {
        changes.publish(one, Ticket(ticket), (from..from + 1_000).map(change).collect());
    }
    changes.tail(one, Ticket(14));
    for ticket in [11, 12, 13].map(Ticket) {
        published(replies, one, ticket);
    }
    match replies.wait() {
        ChangesReply::Tail(at, Ticket(14), Ok(n)) if at == one => {
            assert_eq!(n, Some(ChangeNumber::new(3_012)));
        }
        other => panic!("a tail was answered {other:?}"),
    }
}

fn change(n: u64) -> Outgoing {
    Outgoing::Change {
        n: ChangeNumber::new(n),
        key: format!("v-{}", n % 7).into_bytes(),
        headers: vec![("tzeva_n".into(), n.to_string().into_bytes())],
        value: format!("{{\"n\":{n}}}").into_bytes(),
    }
}

fn publish(
    changes: &mut dyn Changes,
    replies: &mut Replies<ChangesReply>,
    partition: Partition,
    messages: Vec<Outgoing>,
) {
    changes.publish(partition, Ticket(1), messages);
    published(replies, partition, Ticket(1));
}

fn published(replies: &mut Replies<ChangesReply>, partition: Partition, ticket: Ticket) {
    match replies.wait() {
        ChangesReply::Published(at, its, Ok(())) if (at, its) == (partition, ticket) => {}
        other => panic!("publishing was answered {other:?}"),
    }
}

fn tail(
    changes: &mut dyn Changes,
    replies: &mut Replies<ChangesReply>,
    partition: Partition,
) -> Option<ChangeNumber> {
    changes.tail(partition, Ticket(2));
    match replies.wait() {
        ChangesReply::Tail(at, Ticket(2), Ok(n)) if at == partition => n,
        other => panic!("a tail was answered {other:?}"),
    }
}
