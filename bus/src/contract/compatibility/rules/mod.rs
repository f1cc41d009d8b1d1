//! The rules, a file for each sort of element.

mod enums;
mod fields;
mod file_options;
mod gone;
mod messages;
mod methods;
mod numbers;
mod types;
mod values;

use super::Comparison;

/// Holds the change against all rules that are wanted.
pub(super) fn all(comparison: &mut Comparison<'_>) {
    gone::check(comparison);
    file_options::check(comparison);
    messages::check(comparison);
    fields::check(comparison);
    enums::check(comparison);
    methods::check(comparison);
}
