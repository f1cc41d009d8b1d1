//! What is told of routes: numbers for metrics, never a value of a call.

use metrics::Unit;

/// Calls by the route that they took.
pub(super) const ROUTED: &str = "passerelle_routed_calls_total";
/// Conditions that came to neither yes nor no.
pub(super) const UNDECIDED: &str = "passerelle_route_undecided_total";
/// Copies to those who are told of a call.
pub(crate) const COPIES: &str = "passerelle_route_copies_total";
/// Routes of the set that runs.
pub const ROUTES: &str = "passerelle_routes";
/// How often the set was replaced.
pub const VERSION: &str = "passerelle_routes_version";
/// Reloads by their outcome.
pub const RELOADS: &str = "passerelle_routes_reloads_total";

/// Every metric of routes with its unit and meaning.
pub const METRICS: [(&str, Unit, &str); 6] = [
    (ROUTED, Unit::Count, "calls that a route took, by route"),
    (
        UNDECIDED,
        Unit::Count,
        "conditions that came to neither yes nor no (null, or a limit), so that the next route was looked at, by method",
    ),
    (
        COPIES,
        Unit::Count,
        "copies to destinations that are told of a call which another one answers, by route and outcome: a status code, or LET_GO where too many were under way",
    ),
    (ROUTES, Unit::Count, "routes of the set that runs, once for each of their methods"),
    (VERSION, Unit::Count, "the version of the set of routes that runs: how often it was replaced since the start"),
    (RELOADS, Unit::Count, "reloads of the route files, by outcome: replaced, unchanged, refused, rolled_back"),
];
