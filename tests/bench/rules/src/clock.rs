//! CPU time of the thread, and measuring several ways of one thing in turns.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Turns; the median of them is what counts.
const TURNS: usize = 15;

/// What one turn of one way takes at least.
const TURN: Duration = Duration::from_millis(20);

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The CPU time of one call.
pub fn once(work: &mut dyn FnMut()) -> Duration {
    let begin = now();
    work();
    now() - begin
}

/// Nanoseconds of CPU time that a call of each way takes: medians of turns that change places.
pub fn in_turns<const N: usize>(mut ways: [&mut dyn FnMut(); N]) -> [f64; N] {
    let counts: [u32; N] = std::array::from_fn(|way| calls_in_a_turn(&mut *ways[way]));
    let mut measured: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..TURNS {
        for (way, count) in counts.iter().enumerate() {
            let took = once(&mut || (0..*count).for_each(|_| ways[way]()));
            measured[way].push(took.as_secs_f64() * 1e9 / f64::from(*count));
        }
    }
    measured.map(|mut turns| {
        turns.sort_by(f64::total_cmp);
        turns[TURNS / 2]
    })
}

fn calls_in_a_turn(work: &mut dyn FnMut()) -> u32 {
    let mut count = 1;
    while once(&mut || (0..count).for_each(|_| work())) < TURN && count < 1 << 24 {
        count *= 2;
    }
    count
}
