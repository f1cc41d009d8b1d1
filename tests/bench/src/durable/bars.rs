//! What was promised, and whether this run keeps it.

use super::Row;
use super::round::Measured;
use super::servers::FLOOR;

/// How many times an fdatasync the slowest hundredth of acknowledgements may take.
const SLOWEST: f64 = 8.0;

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
    if let (Some(row), Some(floor)) = (row(stream, 64), row(FLOOR, 64)) {
        slowest(row, floor);
    }
}

/// The slowest hundredth, of each round with the sync measured around it: the disk is not the same from one minute to the next. In a round in
/// which not even the floor keeps the bar it is the machine that is measured (others on its host, mostly), so those are said apart.
fn slowest(row: &Row<'_>, floor: &Row<'_>) {
    let times = |one: &Measured| one.p99 / one.sync;
    let pairs = row.rounds.iter().zip(&floor.rounds);
    let mut able: Vec<f64> = pairs.filter(|(_, floor)| times(floor) <= SLOWEST).map(|(ours, _)| times(ours)).collect();
    able.sort_by(f64::total_cmp);
    let what = format!(
        "p99 of the acknowledgement, stream, 64 in flight, to the p50 of an fdatasync ({:.0} µs), in the {} of {} rounds in which the floor keeps it",
        row.median(|one| one.sync),
        able.len(),
        row.rounds.len(),
    );
    // Of no round there is nothing to say.
    let reached = if able.is_empty() { f64::NAN } else { crate::table::median(&able) };
    let all = format!("{reached:.2} × (all rounds {:.2} ×, the floor {:.2} ×)", row.median(times), floor.median(times));
    say(&what, &all, &format!("at most {SLOWEST} ×"), reached <= SLOWEST);
}

fn say(what: &str, reached: &str, bar: &str, kept: bool) {
    println!("| {what}: {bar} | {reached} | {} |", if kept { "kept" } else { "MISSED" });
}
