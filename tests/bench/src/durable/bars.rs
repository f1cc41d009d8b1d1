//! What was promised, and whether this run keeps it.

use super::Row;

/// Prints each bar with what was reached. A row that was not measured leaves its bars out.
pub(crate) fn print(rows: &[Row<'_>]) {
    println!("\n| bar | reached | |\n| --- | ---: | --- |");
    let row = |name: &str, in_flight: usize| rows.iter().find(|row| row.target.name == name && row.in_flight == in_flight);
    let rate = |name: &str, in_flight: usize| row(name, in_flight).map(|row| row.median(|one| one.messages_per_second));
    let [stream, unary] = ["Passerelle, stream", "Passerelle, unary"];

    let fastest = ["NATS default, async", "NATS default, fast"].into_iter().filter_map(|name| rate(name, 512)).reduce(f64::max);
    let faster = |what: &str, ours: Option<f64>, theirs: Option<f64>, least: f64| {
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            let times = ours / theirs;
            say(what, &format!("{times:.2} ×"), &format!("at least {least} ×"), times >= least);
        }
    };
    faster("stream to NATS default at its fastest, 512 in flight", rate(stream, 512), fastest, 2.0);
    faster("stream to NATS always, 512 in flight", rate(stream, 512), rate("NATS always, single", 512), 40.0);
    faster("stream to RabbitMQ quorum, 512 in flight", rate(stream, 512), rate("RabbitMQ, quorum queue", 512), 5.0);
    faster("unary to RabbitMQ quorum, 64 in flight", rate(unary, 64), rate("RabbitMQ, quorum queue", 64), 1.0);

    for (in_flight, messages) in [(64, 30.0), (512, 200.0)] {
        if let Some(syncs) = row(stream, in_flight).and_then(|row| row.syncs) {
            let (what, reached) =
                (format!("syncs for each message, stream, {in_flight} in flight"), format!("1/{:.0}", syncs.recip()));
            say(&what, &reached, &format!("at most 1/{messages}"), syncs * messages <= 1.0);
        }
    }
    if let Some(row) = row(stream, 64) {
        // Of each round with the sync measured around it: the disk is not the same from one minute to the next.
        let times = row.median(|one| one.p99 / one.sync);
        let sync = row.median(|one| one.sync);
        let what = format!("p99 of the acknowledgement, stream, 64 in flight, to the p50 of an fdatasync ({sync:.0} µs)");
        say(&what, &format!("{times:.2} ×"), "at most 8 ×", times <= 8.0);
    }
}

fn say(what: &str, reached: &str, bar: &str, kept: bool) {
    println!("| {what}: {bar} | {reached} | {} |", if kept { "kept" } else { "MISSED" });
}
