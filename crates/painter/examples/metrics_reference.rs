//! Prints what a painter's metrics are called and mean, as JSON: `cargo xtask docs` makes the reference of it.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use serde_json::json;
use tzeva_painter::PainterMetrics;
use tzeva_telemetry::Registry;

fn main() {
    let registry = Registry::default();
    let _ = PainterMetrics::register(&registry);
    let all: Vec<_> = registry
        .described()
        .into_iter()
        .map(|metric| {
            json!({
                "name": metric.name,
                "kind": metric.kind.word(),
                "help": metric.help,
                "unit": metric.unit,
                "labels": metric.labels,
                "alert": metric.alert,
            })
        })
        .collect();
    println!("{}", json!(all));
}
