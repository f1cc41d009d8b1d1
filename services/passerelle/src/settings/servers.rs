//! What is done about single servers of an endpoint, as people declare it: compared with each other, asked how they are.

use std::time::Duration;

use passerelle_bus::call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a server that does worse than the others of its endpoint gets no calls for a while (gRFC A50, with its names). A call fails here
/// when the server cannot serve it, does not know what went wrong, or lets its deadline pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Outlier {
    /// How often servers are compared, in milliseconds.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub interval_ms: u64,
    /// How long a server gets no calls the first time, in milliseconds; each further time by as much longer.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub base_ejection_time_ms: u64,
    /// How long at most, in milliseconds.
    #[schemars(range(min = 100, max = 86_400_000))]
    pub max_ejection_time_ms: u64,
    /// The percentage of servers that may get no calls at the same time. One always may.
    #[schemars(range(min = 0, max = 100))]
    pub max_ejection_percent: u32,
    /// Who succeeds much less often than the others stands out.
    pub success_rate: SuccessRate,
    /// Who fails too often stands out, whatever the others do.
    pub failure_percentage: FailurePercentage,
}

/// Finds servers whose share of calls that succeed is far below the mean of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SuccessRate {
    /// How many standard deviations below the mean are too many, in thousandths.
    #[schemars(range(min = 0, max = 100_000))]
    pub stdev_factor: u32,
    /// The chance in percent that a server that stands out gets no calls. 0: this is off.
    #[schemars(range(min = 0, max = 100))]
    pub enforcement_percentage: u32,
    /// Servers with enough calls that there must be.
    #[schemars(range(min = 1, max = 1_000))]
    pub minimum_hosts: u32,
    /// Calls in one interval that are enough.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub request_volume: u32,
}

/// Finds servers of whose calls too many fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FailurePercentage {
    /// The percentage of failed calls of which more are too many.
    #[schemars(range(min = 0, max = 100))]
    pub threshold: u32,
    /// The chance in percent that a server that stands out gets no calls. 0: this is off.
    #[schemars(range(min = 0, max = 100))]
    pub enforcement_percentage: u32,
    /// Servers that there must be.
    #[schemars(range(min = 1, max = 1_000))]
    pub minimum_hosts: u32,
    /// Calls in one interval that are enough.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub request_volume: u32,
}

/// Asks each server how it is, by `grpc.health.v1.Health/Watch` (gRFC A17): one that says that it does not serve gets no calls. One that
/// does not know this question is taken for well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// The service that is asked about; `""`: the server as a whole.
    #[schemars(length(max = 1_000))]
    pub service: String,
}

impl Outlier {
    /// As the bus takes it.
    pub fn resolved(&self) -> call::OutlierSettings {
        let SuccessRate { stdev_factor, enforcement_percentage, minimum_hosts, request_volume } = self.success_rate;
        let success_rate = call::SuccessRate { stdev_factor, enforcement_percentage, minimum_hosts, request_volume };
        let FailurePercentage { threshold, enforcement_percentage, minimum_hosts, request_volume } = self.failure_percentage;
        let failure_percentage = call::FailurePercentage { threshold, enforcement_percentage, minimum_hosts, request_volume };
        call::OutlierSettings {
            interval: Duration::from_millis(self.interval_ms),
            base_ejection_time: Duration::from_millis(self.base_ejection_time_ms),
            max_ejection_time: Duration::from_millis(self.max_ejection_time_ms),
            max_ejection_percent: self.max_ejection_percent,
            success_rate,
            failure_percentage,
        }
    }
}

impl Default for Outlier {
    fn default() -> Self {
        let usual = call::OutlierSettings::default();
        let millis = |duration: Duration| duration.as_millis() as u64;
        Self {
            interval_ms: millis(usual.interval),
            base_ejection_time_ms: millis(usual.base_ejection_time),
            max_ejection_time_ms: millis(usual.max_ejection_time),
            max_ejection_percent: usual.max_ejection_percent,
            success_rate: SuccessRate::default(),
            failure_percentage: FailurePercentage::default(),
        }
    }
}

impl Default for SuccessRate {
    fn default() -> Self {
        let call::SuccessRate { stdev_factor, enforcement_percentage, minimum_hosts, request_volume } =
            call::SuccessRate::default();
        Self { stdev_factor, enforcement_percentage, minimum_hosts, request_volume }
    }
}

impl Default for FailurePercentage {
    fn default() -> Self {
        let call::FailurePercentage { threshold, enforcement_percentage, minimum_hosts, request_volume } =
            call::FailurePercentage::default();
        Self { threshold, enforcement_percentage, minimum_hosts, request_volume }
    }
}
