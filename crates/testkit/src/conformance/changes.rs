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
    changes.tail(one, Ticket(3));
    let (n, names) = tail_of(replies, one, Ticket(3));
    assert_eq!(n, Some(ChangeNumber::new(10)));
    let told = ("brand/00000000000000aa".to_owned(), "Acme".to_owned());
    assert!(names.contains(&told), "a name is told before the next tail's answer: {names:?}");

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
    let (n, _) = tail_of(replies, one, Ticket(14));
    assert_eq!(n, Some(ChangeNumber::new(3_012)));
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
    tail_of(replies, partition, Ticket(2)).0
}

/// The answer to a tail, and the names told before it.
fn tail_of(
    replies: &mut Replies<ChangesReply>,
    partition: Partition,
    ticket: Ticket,
) -> (Option<ChangeNumber>, Vec<(String, String)>) {
    let mut told = Vec::new();
    loop {
        match replies.wait() {
            ChangesReply::Names(names) => told.extend(names),
            ChangesReply::Tail(at, its, Ok(n)) if (at, its) == (partition, ticket) => {
                return (n, told);
            }
            other => panic!("a tail was answered {other:?}"),
        }
    }
}
