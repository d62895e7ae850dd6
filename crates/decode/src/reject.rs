//! Refusals on their way up: boxed, so that the path of a good record stays narrow.

use tzeva_model::{Rejection, RejectionCode};

/// A rejection as the error of an inner step.
pub(crate) type Refusal = Box<Rejection>;

/// A refusal; `detail` names fields and types, never values, which may be personal data.
#[cold]
pub(crate) fn refuse(code: RejectionCode, detail: impl Into<String>) -> Refusal {
    Box::new(Rejection::new(code, detail))
}
