//! What people read of a run.

use super::Row;

/// The rows with so many messages in flight, with how many times each of ours is as fast.
pub(crate) fn print(in_flight: usize, rows: &[Row<'_>]) {
    let rows: Vec<&Row<'_>> = rows.iter().filter(|row| row.in_flight == in_flight).collect();
    let ours = ["Passerelle, stream", "Passerelle, unary"].map(|name| rows.iter().find(|row| row.target.name == name));
    println!("\n{in_flight} in flight\n");
    println!("| | acknowledged | msg/s | stream × | unary × | p50 ms | p99 ms | CPU s/100k | syncs/msg |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for row in &rows {
        let rate = row.median(|one| one.messages_per_second);
        let times = ours.map(|ours| match ours {
            Some(ours) if ours.target.name != row.target.name => times(ours.median(|one| one.messages_per_second) / rate),
            _ => "–".to_owned(),
        });
        let durable = if row.target.is_durable { "on disk" } else { "in memory" };
        let milliseconds = |micros: f64| format!("{:.2}", micros / 1000.0);
        println!(
            "| {} | {durable} | {rate:.0} ({:.0}) | {} | {} | {} | {} | {:.2} | {} |",
            row.target.name,
            row.least(|one| one.messages_per_second),
            times[0],
            times[1],
            milliseconds(row.median(|one| one.p50)),
            milliseconds(row.median(|one| one.p99)),
            row.median(|one| one.cpu),
            row.syncs.map_or("–".to_owned(), rounded),
        );
    }
}

fn times(ratio: f64) -> String {
    if ratio >= 10.0 { format!("{ratio:.0}") } else { format!("{ratio:.2}") }
}

/// Syncs for each message: "1/29" says more than "0.034".
fn rounded(syncs: f64) -> String {
    match syncs {
        none if none < 1e-5 => "0".to_owned(),
        few if few < 0.5 => format!("1/{:.0}", few.recip()),
        many => format!("{many:.2}"),
    }
}
