//! The addresses of a host: whose turn it is, and which are left out for a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An address that failed once is left out this long; twice as long each time it fails again.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
/// The longest an address is left out.
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// One address, `name:port`, and how it fared.
#[derive(Debug)]
pub(crate) struct Address {
    text: String,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    in_a_row: u32,
    left_out_until: Option<Instant>,
}

impl Address {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// It was connected.
    pub(crate) fn worked(&self) {
        *self.failures() = Failures::default();
    }

    /// It could not be connected, or said that it cannot serve.
    pub(crate) fn failed(&self) {
        let mut failures = self.failures();
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        let backoff = FIRST_BACKOFF.saturating_mul(1 << failures.in_a_row.saturating_sub(1).min(10));
        failures.left_out_until = Some(Instant::now() + backoff.min(LONGEST_BACKOFF));
    }

    fn left_out_until(&self) -> Option<Instant> {
        self.failures().left_out_until
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All addresses of a host.
#[derive(Debug)]
pub(crate) struct Addresses {
    all: Vec<Arc<Address>>,
    turn: AtomicUsize,
}

impl Addresses {
    pub(crate) fn new(texts: &[String]) -> Self {
        let all = texts.iter().map(|text| Arc::new(Address { text: text.clone(), failures: Mutex::default() })).collect();
        Self { all, turn: AtomicUsize::new(0) }
    }

    pub(crate) fn all(&self) -> &[Arc<Address>] {
        &self.all
    }

    /// The addresses in the order to try them: each call begins with the next one; those that failed lately come last,
    /// the one whose pause ends first before the others. They are not dropped: when nothing else works, trying is better
    /// than giving up.
    pub(crate) fn in_turn(&self) -> Vec<Arc<Address>> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.all.len();
        let mut order: Vec<_> = self.all[first..].iter().chain(&self.all[..first]).cloned().collect();
        let now = Instant::now();
        order.sort_by_key(|address| address.left_out_until().filter(|until| *until > now));
        order
    }

    /// When the first of the addresses that are left out now is back.
    pub(crate) fn back_in(&self) -> Option<Duration> {
        let now = Instant::now();
        self.all.iter().filter_map(|address| address.left_out_until()).map(|at| at.saturating_duration_since(now)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(addresses: &Addresses) -> Vec<String> {
        addresses.in_turn().iter().map(|address| address.text().to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_take_turns_and_a_failed_one_comes_last_until_its_pause_is_over() {
        let addresses = Addresses::new(&["a:1".into(), "b:1".into(), "c:1".into()]);
        assert_eq!(order(&addresses), ["a:1", "b:1", "c:1"]);
        assert_eq!(order(&addresses), ["b:1", "c:1", "a:1"]);

        addresses.all()[2].failed();
        assert_eq!(order(&addresses), ["a:1", "b:1", "c:1"]);
        assert_eq!(order(&addresses), ["a:1", "b:1", "c:1"]);
        assert_eq!(order(&addresses), ["b:1", "a:1", "c:1"][..].to_vec());

        tokio::time::advance(FIRST_BACKOFF).await;
        assert_eq!(order(&addresses), ["c:1", "a:1", "b:1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_doubles_up_to_its_limit_and_a_success_ends_it() {
        let addresses = Addresses::new(&["a:1".into()]);
        let address = &addresses.all()[0];
        let mut pauses = Vec::new();
        for _ in 0..8 {
            address.failed();
            pauses.push(addresses.back_in().map_or(0, |pause| pause.as_millis()));
        }
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        address.worked();
        assert_eq!(addresses.back_in(), None);
    }
}
