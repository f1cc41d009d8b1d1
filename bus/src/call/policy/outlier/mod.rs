//! Outlier ejection (gRFC A50): an address of an endpoint that does worse than the others gets no calls for a while.
//!
//! A call costs one relaxed addition when it ends; whether an address is ejected is one relaxed load. Everything else is done once an
//! interval, by [`sweep`].

mod settings;
mod sweep;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tonic::Code;

pub use self::settings::{FailurePercentage, OutlierSettings, SuccessRate};
use self::sweep::Standing;
pub(in crate::call) use self::sweep::{Address, Calls, Change, Ejection, blame, is_blamed, sweep};

/// Finds single servers to blame for what fails, and leaves them alone; says whether somebody is left alone for it.
pub(in crate::call) type Blame = Box<dyn Fn(Instant) -> bool + Send + Sync>;

/// What is counted of one address, and whether it is ejected.
#[derive(Debug, Default)]
pub(in crate::call) struct Track {
    good: AtomicU64,
    bad: AtomicU64,
    is_ejected: AtomicBool,
    standing: Mutex<Standing>,
}

impl Track {
    /// A call to this address ended so.
    pub(in crate::call) fn ended(&self, code: Code) {
        match code {
            // The address cannot serve, or does not know itself what went wrong.
            Code::Unavailable | Code::Internal | Code::Unknown | Code::DataLoss | Code::DeadlineExceeded => self.failed(),
            // Its caller went away, or it takes no more at this moment: nothing is known of it, or the same of all.
            Code::Cancelled | Code::ResourceExhausted => {}
            _ => {
                self.good.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A call to this address failed in a way that has no code of its own.
    pub(in crate::call) fn failed(&self) {
        self.bad.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::call) fn is_ejected(&self) -> bool {
        self.is_ejected.load(Ordering::Relaxed)
    }

    /// Why and until when it is ejected, if it is.
    pub(in crate::call) fn ejection(&self) -> Option<Ejection> {
        self.standing().ejection
    }

    /// What happened since this was last asked, and how the address stands.
    pub(in crate::call) fn take(&self) -> Address {
        let calls = Calls { good: self.good.swap(0, Ordering::Relaxed), bad: self.bad.swap(0, Ordering::Relaxed) };
        Address { calls, standing: *self.standing() }
    }

    /// What happened in this interval so far and in the one before, and how the address stands.
    pub(in crate::call) fn peek(&self) -> Address {
        let calls = Calls { good: self.good.load(Ordering::Relaxed), bad: self.bad.load(Ordering::Relaxed) };
        let standing = *self.standing();
        Address { calls: calls + standing.before, standing }
    }

    /// How the address stands from now on.
    pub(in crate::call) fn put(&self, address: &Address) {
        *self.standing() = address.standing;
        self.is_ejected.store(address.standing.ejection.is_some(), Ordering::Relaxed);
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ejection {
    /// In a few words, for operators.
    pub(in crate::call) fn words(&self, now: Instant) -> String {
        let Calls { good, bad } = self.calls;
        let left = self.until.saturating_duration_since(now).as_secs_f64();
        format!("{bad} of {} calls failed; it is looked at again in {left:.0} s", good + bad)
    }
}
