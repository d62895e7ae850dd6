//! The end of a partition as the last fetch answer told it, without asking a broker.
//!
//! A consumer reports an end only with the next, empty answer, which may take half a second; an owner that merges two
//! topics would wait that long for a topic that has nothing. rdkafka has no safe call for what the client knows already.
#![expect(
    unsafe_code,
    reason = "rd_kafka_get_watermark_offsets has no safe wrapper in rdkafka 0.39"
)]

use rdkafka::bindings::{rd_kafka_get_watermark_offsets, rd_kafka_resp_err_t};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use std::ffi::CString;

/// One past the last record of the partition as of the last fetch answer; `None` before the first one.
pub(crate) fn known_end<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1_i64, -1_i64);
    // SAFETY: the client lives as long as `consumer` is borrowed; `topic` ends in a zero byte and, like the two numbers,
    // outlives the call, which keeps no pointer.
    let outcome = unsafe {
        rd_kafka_get_watermark_offsets(
            consumer.client().native_ptr(),
            topic.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    (outcome == rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}
