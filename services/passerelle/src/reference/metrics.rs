//! The page of all metrics.

use crate::serve::every_metric;

/// Every metric, with its sort and meaning.
pub(super) fn page() -> String {
    let mut text =
        "# Metrics\n\nFor Prometheus, at `/metrics` on the admin port.\n\n| name | sort | meaning |\n| --- | --- | --- |\n"
            .to_owned();
    for (name, _, meaning) in every_metric() {
        text.push_str(&format!("| `{name}` | {} | {meaning} |\n", sort(name)));
    }
    text
}

/// Names end in what they are, as Prometheus wants it.
fn sort(name: &str) -> &'static str {
    match name {
        name if name.ends_with("_timestamp_seconds") => "gauge, Unix seconds",
        name if name.ends_with("_seconds") => "histogram, seconds",
        name if name.ends_with("_total") => "counter",
        _ => "gauge",
    }
}
