//! The real binary is killed twenty times in the middle of real input, two of them own at once for a part of it, the
//! store is flushed, and one record in a hundred is none: nothing is lost, nothing is doubled.
#![cfg(test)]

mod shop;

use shop::data::{now, sample, sample_calls, sample_shop};
use shop::painter::{Painter, drained, live_a_while};
use shop::random::Random;
use shop::redis::flush;
use shop::{Record, Shop, judge};
use tzeva_model::Partition;
use tzeva_model::RejectionCode::{
    Malformed, Misrouted, MissingField, SchemaUnknown, TooDeep, TooLarge, WrongKey,
};
use tzeva_testkit::servers::Redis;

/// The painters, of one group; `None`: not running.
struct Pair<'a> {
    shop: &'a Shop,
    painters: [Option<Painter>; 2],
    lives: usize,
}

const KILLS: usize = 20;
/// From this kill on, and up to that one, both own.
const BOTH: std::ops::Range<usize> = 6..14;
const FLUSHED_AT: usize = 10;
const BAD: usize = 311;

#[test]
fn twenty_kills_two_owners_a_flushed_store_and_poison_change_nothing() {
    let mut random = Random::from_environment();
    let redis = Redis::start(&[]).unwrap();
    let shop = Shop::open_on(sample_shop(4, false), &redis.url());
    // The half year of the sample ends now; each life finds a part of it that nobody has read.
    let calls = sample_calls();
    let mut records = sample(&shop, now() - calls[calls.len() - 1].0.occurred_at);
    let good = records.len();
    poison(&mut records, &mut random);
    let mut parts = records.chunks(records.len().div_ceil(KILLS + 1));

    let mut pair = Pair { shop: &shop, painters: [None, None], lives: 0 };
    for kill in 0..KILLS {
        let both = BOTH.contains(&kill);
        shop.feed(parts.next().unwrap());
        pair.start(0);
        if both {
            pair.start(1);
        }
        if kill == FLUSHED_AT {
            flush(&redis.address());
        }
        live_a_while(&shop, &mut random);
        pair.kill(if both { random.below(2) } else { 0 });
    }
    shop.feed(parts.next().unwrap());
    pair.start(0);
    pair.start(1);
    let [Some(first), Some(second)] = &mut pair.painters else { panic!("both were started") };
    drained(&shop, first, false);
    second.still_runs();
    pair.painters.into_iter().flatten().for_each(Painter::stop);

    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, good);
    assert_eq!(verdicts.rejected.values().sum::<usize>(), BAD);
    for code in [Malformed, MissingField, Misrouted, SchemaUnknown, TooDeep, TooLarge, WrongKey] {
        assert!(verdicts.rejected.contains_key(&code), "no record was {}", code.word());
    }
    assert!(verdicts.claims > KILLS, "{} claims", verdicts.claims);
    println!(
        "{} changes, {} claims, {} repeats, rejected {:?}",
        verdicts.changes.len(),
        verdicts.claims,
        verdicts.repeated,
        verdicts.rejected
    );
}

// === impl Pair ===

impl Pair<'_> {
    fn start(&mut self, which: usize) {
        if self.painters[which].is_none() {
            let instance = ["one", "other"][which];
            self.painters[which] = Some(Painter::start_as(self.shop, instance, self.lives));
            self.lives += 1;
        }
    }

    fn kill(&mut self, which: usize) {
        if let Some(painter) = self.painters[which].take() {
            painter.kill();
        }
    }
}

/// Puts records between the good ones that are refused, each kind by its code.
fn poison(records: &mut Vec<Record>, random: &mut Random) {
    let good = records.len();
    let mut bad = Vec::new();
    for number in 0..BAD {
        let at = random.below(good);
        let mut record = records[at].clone();
        spoil(&mut record, number);
        bad.push((at, record));
    }
    // From behind, so that places stay what they were.
    bad.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, record) in bad {
        records.insert(at, record);
    }
}

fn spoil(record: &mut Record, number: usize) {
    let text = String::from_utf8(record.value.clone()).unwrap();
    let open = text.trim_end_matches('}').len();
    match number % 40 {
        0 => {
            // Beyond the limit, though it packs well.
            record.value.extend(vec![b' '; 1 << 20]);
        }
        1..8 => record.value.truncate(open - 5),
        8..15 => record.value = text.replace("\"timestamp\"", "\"zeit\"").into_bytes(),
        15..22 => record.partition = Partition::new(record.partition.get() ^ 1),
        22..28 => {
            // Keyed by the account instead of the visitor.
            record.value =
                text.replace("\"anonymousId\"", "\"userId\":\"a-7\",\"anonymousId\"").into_bytes();
            record.key = b"a-7".to_vec();
        }
        28..34 => {
            let deep = format!("{}1{}", "{\"a\":".repeat(12), "}".repeat(12));
            record.value = text
                .replacen("\"properties\":{", &format!("\"properties\":{{\"d\":{deep},"), 1)
                .into_bytes();
        }
        _ => record.value = [&[0, 0, 0, 0, 77], text.as_bytes()].concat(),
    }
}
