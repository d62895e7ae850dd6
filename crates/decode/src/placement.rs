//! Does a record lie where its visitor belongs, under the key that says so?

use crate::call::{Call, Scalar};
use crate::reject::{Refusal, refuse};
use crate::settings::Compiled;
use tzeva_model::RejectionCode::{Misrouted, WrongKey};
use tzeva_model::{Partition, VisitorId};

/// Checks key and partition of a record of `visitor`.
///
/// A key that is another id of the record is refused wherever it lies: the producer keys by the wrong field, and only
/// chance would place it right. Any other key, or none, is judged by the partition alone, which is what must be true.
///
/// # Errors
/// `wrong_key`, `misrouted`
pub(crate) fn check(
    visitor: &VisitorId,
    call: &Call<'_>,
    settings: &Compiled,
    (key, partition): (Option<&[u8]>, Partition),
) -> Result<(), Refusal> {
    if settings.partitions == 0 {
        return Ok(());
    }
    let own = visitor.as_str().as_bytes();
    if let Some(key) = key.filter(|key| *key != own)
        && let Some(field) = other_id(key, call, settings)
    {
        return Err(refuse(
            WrongKey,
            format!(
                "the key is `{field}`, but it must be the visitor id, `{}`",
                chosen(call, settings)
            ),
        ));
    }
    let home = visitor.partition(settings.partitions);
    if home == partition {
        return Ok(());
    }
    let keyed = match key {
        None => "has no key",
        Some(key) if key == own => "is keyed right, so its producer does not partition by murmur2",
        Some(_) => "has a key that is no id of it",
    };
    let count = settings.partitions;
    Err(refuse(
        Misrouted,
        format!(
            "the visitor belongs to partition {home} of {count}, not {partition}; the record {keyed}"
        ),
    ))
}

/// The field of the record whose value the key is.
fn other_id<'s>(key: &[u8], call: &Call<'_>, settings: &'s Compiled) -> Option<&'s str> {
    let fixed = [
        ("anonymousId", call.anonymous_id),
        ("userId", call.user_id),
        ("messageId", call.message_id),
        ("properties.order_id", call.order_id),
    ];
    let paths = settings.visitor_id.iter().map(|path| path.text.as_str()).zip(call.visitor_ids);
    paths.chain(fixed).find(|(_, scalar)| is(*scalar, key)).map(|(field, _)| field)
}

fn is(scalar: Scalar<'_>, key: &[u8]) -> bool {
    match scalar {
        Scalar::Text(text) | Scalar::Digits(text) => !key.is_empty() && text.as_bytes() == key,
        Scalar::Long(number) => number.to_string().as_bytes() == key,
        _ => false,
    }
}

fn chosen<'s>(call: &Call<'_>, settings: &'s Compiled) -> &'s str {
    let mut given = settings.visitor_id.iter().zip(call.visitor_ids);
    given.find(|(_, id)| *id != Scalar::Absent).map_or("", |(path, _)| path.text.as_str())
}
