//! CloudEvents around a call, and what travels beside it: the W3C trace context.
//!
//! In binary mode the attributes are headers and the value is the call itself, so there is nothing to unwrap. In
//! structured mode (`application/cloudevents+json`, or an object with `specversion`) the call is its `data`.

use crate::call::Scalar;
use crate::json::{Node, object, scalar};
use crate::reject::{Refusal, refuse};
use tzeva_model::RejectionCode::{MissingField, UnsupportedType};

/// Headers of a record, as the source has them.
pub(crate) type Headers<'a> = &'a [(String, Vec<u8>)];

/// The call within `root`, and the trace context of the envelope, if there is one.
///
/// # Errors
/// `missing_field` for an envelope without data, `unsupported_type` for one whose data is no JSON.
pub(crate) fn unwrap<'d>(
    root: Node<'d>,
    headers: Headers<'_>,
) -> Result<(Node<'d>, Option<&'d str>), Refusal> {
    let content_type = header(headers, "content-type").unwrap_or_default();
    let structured = starts_with(content_type, "application/cloudevents+json");
    if starts_with(content_type, "application/cloudevents-batch") {
        return Err(refuse(UnsupportedType, "batches of CloudEvents are not read: send one each"));
    }
    if !structured && root.member("specversion").is_none() {
        return Ok((root, None));
    }
    if root.member("data_base64").is_some() {
        return Err(refuse(
            UnsupportedType,
            "a CloudEvent's `data_base64` is not read: use `data`",
        ));
    }
    let data = match root.member("data") {
        Some(data) => object("data", data)?,
        None => None,
    };
    let traceparent = match root.member("traceparent").map(scalar) {
        Some(Scalar::Text(text)) => Some(text),
        _ => None,
    };
    match data {
        Some(data) => Ok((data, traceparent)),
        None => Err(refuse(MissingField, "a CloudEvent without `data`")),
    }
}

/// The trace context of the headers, else of the envelope; what is no trace context is left out, as its standard asks.
pub(crate) fn traceparent(headers: Headers<'_>, envelope: Option<&str>) -> Option<Box<str>> {
    let found = header(headers, "traceparent").or_else(|| header(headers, "ce_traceparent"));
    let text = found.or(envelope)?;
    is_traceparent(text).then(|| text.into())
}

fn header<'a>(headers: Headers<'a>, name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(value).ok()
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, later versions possibly longer.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut parts = text.split('-');
    let mut next = |length| parts.next().is_some_and(|part| part.len() == length && hex(part));
    text.len() <= 256 && next(2) && next(32) && next(16) && next(2)
}
