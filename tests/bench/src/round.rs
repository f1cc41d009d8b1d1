//! One measurement of one target under one shape of load.

use std::path::Path;

use crate::load::{self, Shape};
use crate::meter;
use crate::targets::Target;

/// What one flood cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) requests_per_second: f64,
    /// CPU seconds of the proxy for 100,000 requests.
    pub(crate) cpu: f64,
    /// CPU seconds of the upstream for 100,000 requests: some proxies make it dearer.
    pub(crate) upstream_cpu: f64,
    pub(crate) resident_mib: f64,
}

/// Floods `target` once it is warm.
pub(crate) fn measure(target: &Target, upstream: &Target, shape: Shape, requests: u32, frame: &Path) -> Measured {
    load::flood(target.address, shape, requests / 10, frame);
    let cpu = || [target, upstream].map(|target| meter::cpu_seconds(target.process.id()));
    let before = cpu();
    let requests_per_second = load::flood(target.address, shape, requests, frame);
    let after = cpu();
    let each = |at: usize| (after[at] - before[at]) * 100_000.0 / f64::from(requests);
    Measured { requests_per_second, cpu: each(0), upstream_cpu: each(1), resident_mib: meter::resident_mib(target.process.id()) }
}
