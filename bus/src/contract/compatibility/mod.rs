//! The compatibility gate: what a new version of a contract would break, by rules named after Buf's.
//!
//! Pure: two images in, findings out. Rules compare a [`schema::Schema`] of each, which keeps editions and source lines.

mod finding;
mod policy;
mod rule;
mod rule_set;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

pub use finding::{Finding, Touches};
pub use policy::{Against, Level, Policy, nearest};
pub use rule::{Category, Rule};
pub use rule_set::{RuleSet, UnknownRule};
pub use schema::Place;

use super::image::{Image, ImageError};
use schema::Schema;

/// What `new` would break of what `old` promises, by file, line and rule; none if it is compatible.
///
/// # Errors
/// Options of a descriptor that do not decode.
pub fn compare(old: &Image, new: &Image, rules: &RuleSet) -> Result<Vec<Finding>, ImageError> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let (old, new) = (Schema::of(old)?, Schema::of(new)?);
    let mut comparison = Comparison { old: &old, new: &new, rules, findings: Vec::new() };
    rules::all(&mut comparison);
    let mut findings = comparison.findings;
    let key = |finding: &Finding| (finding.place.clone(), finding.rule, finding.element.clone());
    findings.sort_by_cached_key(key);
    Ok(findings)
}

/// A comparison under way.
struct Comparison<'a> {
    old: &'a Schema,
    new: &'a Schema,
    rules: &'a RuleSet,
    findings: Vec<Finding>,
}

impl Comparison<'_> {
    /// Whether a rule is wanted: what is costly to find out is asked only then.
    fn wants(&self, rule: Rule) -> bool {
        self.rules.contains(rule)
    }

    fn add(&mut self, finding: Finding) {
        if self.wants(finding.rule) {
            self.findings.push(finding);
        }
    }
}
