//! What is told of the projection in numbers.

use metrics::Unit;

/// Records that are in the journal and not yet in the tables.
pub(crate) const LAG: &str = "passerelle_projection_lag_records";
/// Position up to which the tables follow.
pub(crate) const POSITION: &str = "passerelle_projection_position";

/// Every metric of the projection with its unit and meaning, for the recorder and the reference page.
pub const METRICS: [(&str, Unit, &str); 2] = [
    (LAG, Unit::Count, "records in the journal that the views do not show yet"),
    (POSITION, Unit::Count, "position of the last record that all views show"),
];
