//! What is decided once an interval: who is ejected, and who returns. Pure.
//!
//! Read "address" for gRFC A50's "endpoint". Two things are made precise here: a share of ejected addresses over the limit is never
//! reached (A50 looks at it before each ejection only, and may so pass it by one), and what an address that is ejected already still ends
//! is not held against anyone.

use std::time::Instant;

use super::settings::OutlierSettings;

/// Calls to one address that say enough about it when those to all of them together have opened the breaker.
const TELLING_CALLS: u32 = 5;

/// One address at the end of an interval.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::call) struct Address {
    pub(super) calls: Calls,
    pub(super) standing: Standing,
}

/// What became of the calls of an interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::call) struct Calls {
    pub(in crate::call) good: u64,
    pub(in crate::call) bad: u64,
}

/// How an address stands from one interval to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) ejection: Option<Ejection>,
    /// How often it was ejected, less the intervals in which it was not: the factor of the next ejection's length.
    pub(super) multiplier: u32,
    /// What the interval before this one counted.
    pub(super) before: Calls,
}

/// Why an address gets no calls, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::call) struct Ejection {
    /// What it was ejected for.
    pub(in crate::call) calls: Calls,
    /// When it returns, at the end of the first interval after this.
    pub(in crate::call) until: Instant,
}

/// What a sweep did with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::call) enum Change {
    Ejected(Ejection),
    Returned,
}

/// Looks at all addresses of an endpoint at the end of an interval; says which of them changed, by index. `chance` gives a number from 0 to
/// 99.
pub(in crate::call) fn sweep(
    settings: &OutlierSettings,
    now: Instant,
    addresses: &mut [Address],
    chance: &mut dyn FnMut() -> u32,
) -> Vec<(usize, Change)> {
    let mut changes = Vec::new();
    let (rate, percentage) = (&settings.success_rate, &settings.failure_percentage);
    if rate.enforcement_percentage > 0
        && let Some(least) = least_success(settings, addresses)
    {
        let stands_out = |calls: &Calls| calls.total() >= rate.request_volume.into() && calls.success() < least;
        eject(settings, now, addresses, (rate.enforcement_percentage, chance), &stands_out, &mut changes);
    }
    if percentage.enforcement_percentage > 0 && addresses.len() >= percentage.minimum_hosts as usize {
        let fails = |calls: &Calls| calls.total() >= percentage.request_volume.into() && calls.fail_over(percentage.threshold);
        eject(settings, now, addresses, (percentage.enforcement_percentage, chance), &fails, &mut changes);
    }
    for (index, address) in addresses.iter_mut().enumerate() {
        address.standing.before = address.calls;
        match address.standing.ejection {
            None => address.standing.multiplier = address.standing.multiplier.saturating_sub(1),
            Some(Ejection { until, .. }) if until <= now => {
                address.standing.ejection = None;
                changes.push((index, Change::Returned));
            }
            Some(_) => {}
        }
    }
    changes
}

/// Looks for single addresses to blame, within an interval, before the whole endpoint is left alone: they are ejected if others do well.
/// What was counted in the interval before speaks too.
pub(in crate::call) fn blame(
    settings: &OutlierSettings,
    now: Instant,
    addresses: &mut [Address],
    chance: &mut dyn FnMut() -> u32,
) -> Vec<(usize, Change)> {
    let percentage = &settings.failure_percentage;
    let does_well = |address: &Address| address.standing.ejection.is_none() && address.calls.good > address.calls.bad;
    let mut changes = Vec::new();
    if addresses.len() >= percentage.minimum_hosts as usize && addresses.iter().any(does_well) {
        let enough = percentage.request_volume.min(TELLING_CALLS);
        let fails = |calls: &Calls| calls.total() >= enough.into() && calls.fail_over(percentage.threshold);
        eject(settings, now, addresses, (percentage.enforcement_percentage, chance), &fails, &mut changes);
    }
    changes
}

/// Whether what failed is known already to be the fault of addresses that are ejected, since the others together do well: what was under way
/// to those still fails when they have been ejected, and what they failed before is still counted.
pub(in crate::call) fn is_blamed(addresses: &[Address]) -> bool {
    let ejected = |address: &&Address| address.standing.ejection.is_some();
    let rest = addresses.iter().filter(|address| !ejected(address)).fold(Calls::default(), |sum, address| sum + address.calls);
    addresses.iter().any(|address| ejected(&address)) && rest.good > rest.bad
}

/// The success rate below which an address stands out; `None`: too little is known.
fn least_success(settings: &OutlierSettings, addresses: &[Address]) -> Option<f64> {
    let rate = &settings.success_rate;
    let known = addresses.iter().filter(|address| address.standing.ejection.is_none());
    let enough = known.filter(|address| address.calls.total() >= rate.request_volume.into());
    let rates: Vec<f64> = enough.map(|address| address.calls.success()).collect();
    if rates.len() < rate.minimum_hosts as usize {
        return None;
    }
    let count = rates.len().max(1) as f64;
    let mean = rates.iter().sum::<f64>() / count;
    let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / count;
    Some(mean - variance.sqrt() * f64::from(rate.stdev_factor) / 1000.0)
}

/// Ejects those that stand out, with the chance that is enforced, as long as there may be one more.
fn eject(
    settings: &OutlierSettings,
    now: Instant,
    addresses: &mut [Address],
    (enforced, chance): (u32, &mut dyn FnMut() -> u32),
    stands_out: &dyn Fn(&Calls) -> bool,
    changes: &mut Vec<(usize, Change)>,
) {
    let total = addresses.len();
    let mut ejected = addresses.iter().filter(|address| address.standing.ejection.is_some()).count();
    for (index, address) in addresses.iter_mut().enumerate() {
        let may_be_one_more = ejected == 0 || (ejected + 1) * 100 <= total * settings.max_ejection_percent as usize;
        if !may_be_one_more {
            return;
        }
        if address.standing.ejection.is_some() || !stands_out(&address.calls) || chance() >= enforced {
            continue;
        }
        address.standing.multiplier += 1;
        let until = now + settings.ejection_time(address.standing.multiplier);
        let ejection = Ejection { calls: address.calls, until };
        address.standing.ejection = Some(ejection);
        changes.push((index, Change::Ejected(ejection)));
        ejected += 1;
    }
}

impl std::ops::Add for Calls {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { good: self.good + other.good, bad: self.bad + other.bad }
    }
}

impl Calls {
    fn total(&self) -> u64 {
        self.good + self.bad
    }

    /// Whether more than that percentage failed.
    fn fail_over(&self, percentage: u32) -> bool {
        self.bad.saturating_mul(100) > self.total().saturating_mul(percentage.into())
    }

    /// The share of calls that went well. Of no calls, all did.
    fn success(&self) -> f64 {
        if self.total() == 0 { 1.0 } else { self.good as f64 / self.total() as f64 }
    }
}
