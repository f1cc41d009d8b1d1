//! Every hostile expression, one after the other: an answer or an error that names a limit, within the time and the memory that one
//! evaluation may take, on a thread like the bus's workers. The only test of its process, whose memory is what is measured.
#![allow(clippy::expect_used, clippy::panic, reason = "tests end where something is not as expected")]

#[path = "abuse/cases.rs"]
mod cases;

use std::time::{Duration, Instant};

use passerelle_feel::{Environment, Expression, Scope, to_json};
use rustix::time::{ClockId, clock_gettime};

use cases::{Case, Expected};

/// Bytes of the stack of a worker of tokio.
const WORKER_STACK: usize = 2 << 20;

/// What reading and evaluating may take. Without optimization it may take longer, but not without end.
const TIME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 2000 } else { 50 });

/// What it may take besides what the process has.
const MEMORY_KIB: u64 = 64 << 10;

/// A value, or an error.
type Outcome = Result<(), String>;

fn evaluate(text: &str) -> Outcome {
    let expression = Expression::compile(text, &Scope::default()).map_err(|error| error.to_string())?;
    let evaluated = expression.evaluate(&[], &Environment::timeless()).map_err(|limit| limit.to_string())?;
    // Whoever is given the value shows it, too.
    std::hint::black_box((evaluated.value.to_string(), to_json(&evaluated.value).to_string()));
    Ok(())
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A line of what Linux tells about this process, in KiB.
fn memory_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the state of this process");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the memory of this process");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
}

/// From here on, the peak of the process's memory is measured anew.
fn forget_the_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("a peak that can be forgotten");
}

struct Measured {
    outcome: Outcome,
    cpu: Duration,
    wall: Duration,
    peak_kib: u64,
}

fn measured(text: String) -> Measured {
    forget_the_peak();
    let before = memory_kib("VmRSS");
    let (cpu, wall) = (cpu_time(), Instant::now());
    let worker = std::thread::Builder::new().stack_size(WORKER_STACK).spawn(move || evaluate(&text)).expect("a thread");
    let outcome = worker.join().expect("the thread lives");
    let (cpu, wall) = (cpu_time() - cpu, wall.elapsed());
    Measured { outcome, cpu, wall, peak_kib: memory_kib("VmHWM").saturating_sub(before) }
}

fn fault((_, _, expected): &Case, measured: &Measured) -> Option<&'static str> {
    let names_a_limit = |error: &str| ["more than", "longer than", "too many"].iter().any(|words| error.contains(words));
    match (expected, &measured.outcome) {
        (Expected::Limit, Ok(())) => Some("no limit was met"),
        (Expected::Limit, Err(error)) if !names_a_limit(error) => Some("the error names no limit"),
        (Expected::Error, Ok(())) => Some("no error"),
        _ if measured.cpu > TIME => Some("too slow"),
        _ if measured.peak_kib > MEMORY_KIB => Some("too much memory"),
        _ => None,
    }
}

#[test]
fn no_expression_hurts_the_process_that_evaluates_it() {
    let mut faults = Vec::new();
    for case in cases::all() {
        let name: String = case.0.chars().take(70).collect();
        print!("{name:<72}");
        let measured = measured(case.1.clone());
        let outcome: String =
            measured.outcome.as_ref().err().map_or("a value", |e| e).lines().next().unwrap_or("").chars().take(70).collect();
        println!(" {:>8.1} ms CPU {:>8.1} ms {:>6} KiB  {outcome}", ms(measured.cpu), ms(measured.wall), measured.peak_kib);
        faults.extend(fault(&case, &measured).map(|fault| format!("{name}: {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
