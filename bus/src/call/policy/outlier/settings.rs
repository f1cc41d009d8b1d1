//! When an address that does worse than the others gets no calls for a while (gRFC A50).

use std::time::Duration;

/// Outlier ejection, with the names and the meaning of gRFC A50.
///
/// Where our defaults differ from A50's: a failure percentage is looked at from two addresses and twenty calls on, not from five and
/// fifty. Back offices have two or three servers, not fleets, and what one of them breaks is seldom fifty calls in ten seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct OutlierSettings {
    /// How often what addresses did is compared.
    pub interval: Duration,
    /// How long an address is ejected the first time; each further time by as much longer.
    pub base_ejection_time: Duration,
    /// How long an address is ejected at most.
    pub max_ejection_time: Duration,
    /// The share of addresses, 0 to 100, that are ejected at most. One may always be.
    pub max_ejection_percent: u32,
    /// Ejects what succeeds much less often than the others.
    pub success_rate: SuccessRate,
    /// Ejects what fails too often, whatever the others do.
    pub failure_percentage: FailurePercentage,
}

/// Ejects an address whose share of calls that succeed is far below the mean of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuccessRate {
    /// How many standard deviations below the mean are too many, in thousandths.
    pub stdev_factor: u32,
    /// The chance, 0 to 100, that an address that stands out is ejected; 0: nothing is compared.
    pub enforcement_percentage: u32,
    /// Addresses with enough calls that there must be.
    pub minimum_hosts: u32,
    /// Calls in one interval that are enough.
    pub request_volume: u32,
}

/// Ejects an address of whose calls too many fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailurePercentage {
    /// The share of failed calls, 0 to 100; more are too many.
    pub threshold: u32,
    /// The chance, 0 to 100, that an address that fails too often is ejected; 0: nothing is compared.
    pub enforcement_percentage: u32,
    /// Addresses that there must be.
    pub minimum_hosts: u32,
    /// Calls in one interval that are enough.
    pub request_volume: u32,
}

impl OutlierSettings {
    /// Whether anything can be ejected at all.
    pub(in crate::call) fn is_on(&self) -> bool {
        self.success_rate.enforcement_percentage > 0 || self.failure_percentage.enforcement_percentage > 0
    }

    /// How long an address stays ejected that is ejected for the nth time.
    pub(super) fn ejection_time(&self, times: u32) -> Duration {
        let longest = self.max_ejection_time.max(self.base_ejection_time);
        self.base_ejection_time.saturating_mul(times).min(longest)
    }
}

impl Default for OutlierSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_secs(300),
            max_ejection_percent: 10,
            success_rate: SuccessRate::default(),
            failure_percentage: FailurePercentage::default(),
        }
    }
}

impl Default for SuccessRate {
    fn default() -> Self {
        Self { stdev_factor: 1900, enforcement_percentage: 100, minimum_hosts: 5, request_volume: 100 }
    }
}

impl Default for FailurePercentage {
    fn default() -> Self {
        Self { threshold: 85, enforcement_percentage: 100, minimum_hosts: 2, request_volume: 20 }
    }
}
