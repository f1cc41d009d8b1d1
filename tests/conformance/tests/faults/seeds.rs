//! Runs worlds by seed on all processors, and says how to run the one that broke a law.

use std::env;
use std::ops::{AddAssign, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs all seeds, or those in `FAULT_SEED` (`17`, or `2000..90000` for a long run), and adds up what they count. Panics with the seed when one breaks a law.
pub(crate) fn run<C: AddAssign + Default + Send>(test: &str, seeds: Range<u64>, world: impl Fn(u64) -> C + Sync) -> C {
    let seeds = asked().unwrap_or(seeds);
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new(C::default());
    let broken = Mutex::new(None);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || broken.lock().is_ok_and(|broken| broken.is_some()) {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| world(seed))) {
                Ok(counts) => *total.lock().unwrap() += counts,
                Err(_) => *broken.lock().unwrap() = Some(seed),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    if let Some(seed) = broken.into_inner().unwrap() {
        panic!("a law is broken, see above; again: FAULT_SEED={seed} cargo test -p passerelle-conformance --test faults {test}");
    }
    total.into_inner().unwrap()
}

/// Whether seeds were asked for: then counts say nothing.
pub(crate) fn chosen() -> bool {
    env::var_os("FAULT_SEED").is_some()
}

fn asked() -> Option<Range<u64>> {
    let asked = env::var_os("FAULT_SEED")?.into_string().expect("FAULT_SEED is text");
    let number = |text: &str| text.parse::<u64>().expect("FAULT_SEED is a number, or two with `..` between");
    Some(match asked.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&asked)..number(&asked) + 1,
    })
}
