//! What people read of a run.

use crate::load::Shape;
use crate::round::Measured;
use crate::targets::Target;

/// The target that the others are compared with.
const OURS: &str = "Passerelle";

/// Requests a second and CPU of each target under one shape of load, and ratios to ours.
pub(crate) fn print_flood(shape: Shape, targets: &[&Target], measured: &[Vec<Measured>]) {
    let of = |results: &[Measured], what: fn(&Measured) -> f64| sorted(results.iter().map(what).collect());
    let ours = targets.iter().position(|target| target.name == OURS).map(|at| median(&of(&measured[at], |one| one.cpu)));
    println!("\n{} connection(s), {} streams each", shape.connections, shape.streams);
    println!("{:<12} {:>8} {:>18} {:>12} {:>14} {:>8}", "", "req/s", "CPU s/100k", "ours/theirs", "upstream CPU", "RSS MiB");
    for (target, results) in targets.iter().zip(measured) {
        let is_proxy = target.name != "direct";
        let cpu = of(results, |one| one.cpu);
        let rate = median(&of(results, |one| one.requests_per_second));
        let cost = if is_proxy { format!("{:.2} ({:.2})", median(&cpu), cpu[0]) } else { "–".to_owned() };
        let ratio = match ours {
            Some(ours) if is_proxy && target.name != OURS => format!("{:.2}", ours / median(&cpu)),
            _ => "–".to_owned(),
        };
        let upstream = median(&of(results, |one| one.upstream_cpu));
        let resident = median(&of(results, |one| one.resident_mib));
        println!("{:<12} {rate:>8.0} {cost:>18} {ratio:>12} {upstream:>14.2} {resident:>8.1}", target.name);
    }
}

/// Latencies at a steady pace, what each proxy adds, and how long each took to be ready.
pub(crate) fn print_paced(targets: &[&Target], latencies: &[Vec<u64>]) {
    println!("\n1,000 requests a second: latency in microseconds, and what is added to direct");
    println!("{:<12} {:>8} {:>8} {:>8} {:>8} {:>10}", "", "p50", "added", "p99", "added", "ready ms");
    let at = |sorted: &[u64], hundredth: usize| sorted[(sorted.len() - 1) * hundredth / 100];
    for (target, sorted) in targets.iter().zip(latencies) {
        let [(p50, more50), (p99, more99)] = [50, 99].map(|hundredth| {
            let value = at(sorted, hundredth);
            (value, value as i64 - at(&latencies[0], hundredth) as i64)
        });
        let ready = target.ready_after.as_secs_f64() * 1000.0;
        println!("{:<12} {p50:>8} {more50:>8} {p99:>8} {more99:>8} {ready:>10.1}", target.name);
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

pub(crate) fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + sorted[middle]) / 2.0 } else { sorted[middle] }
}
