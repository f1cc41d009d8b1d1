//! Tables that must have an answer for every input, and the refusal of one that has not.

use super::{Budget, Report, Table, examine_within};

/// A table that was declared total is not. The text names an input without a rule and rules that overlap.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotTotal {
    /// It lacks a column.
    #[error("decision table {table} must be total over {wanted}, which is none of its columns ({columns})")]
    Column {
        /// The table.
        table: String,
        /// The column that it lacks.
        wanted: String,
        /// Those that it has.
        columns: String,
    },
    /// It could not be examined.
    #[error("decision table {table} is declared total and cannot be examined: {why}")]
    NotExamined {
        /// The table.
        table: String,
        /// Why.
        why: String,
    },
    /// An input has no rule, or two that are at odds, or a rule never decides.
    #[error("decision table {table} is declared total and is not: {}", .findings.join("; "))]
    Incomplete {
        /// The table.
        table: String,
        /// What stands against it, the first of each sort.
        findings: Vec<String>,
    },
}

/// Refuses a table unless every input hits a rule, no two rules are at odds and each rule decides something, all for certain,
/// over these columns and whatever others it has.
///
/// A default output covers nothing: a case that nobody thought of must not pass as one that somebody decided.
///
/// # Errors
/// The table is not total; the error says why.
pub fn require(table: &Table, columns: &[&str]) -> Result<Report, NotTotal> {
    require_within(table, columns, &mut Budget::default())
}

/// [`require`] of one of several tables that share a budget.
///
/// # Errors
/// As there.
pub fn require_within(table: &Table, columns: &[&str], budget: &mut Budget) -> Result<Report, NotTotal> {
    if let Some(wanted) = columns.iter().find(|wanted| !table.inputs.iter().any(|input| *input.name == ***wanted)) {
        let names: Vec<&str> = table.inputs.iter().map(|input| &*input.name).collect();
        return Err(NotTotal::Column { table: table.name.clone(), wanted: (*wanted).to_owned(), columns: names.join(", ") });
    }
    let report = examine_within(table, budget);
    if let Some(why) = report.not_examined {
        return Err(NotTotal::NotExamined { table: report.table, why });
    }
    if report.is_total() {
        return Ok(report);
    }
    let findings = [
        report.gaps.listed.first().map(ToString::to_string),
        report.conflicts.listed.first().map(ToString::to_string),
        report.dead.first().map(ToString::to_string),
    ];
    Err(NotTotal::Incomplete { table: report.table, findings: findings.into_iter().flatten().collect() })
}
