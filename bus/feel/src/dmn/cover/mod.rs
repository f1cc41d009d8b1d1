//! The completeness report of a decision table: inputs that no rule covers, rules that overlap, rules that never decide.
//!
//! Each column is cut at the constants of its cells into parts on which no cell can differ; a rule is then a box of parts, and
//! the questions are about boxes. Columns are taken as independent of each other. Cells that ask for more than constants (a
//! name, a function of the input) are *opaque*: such a rule covers nothing for certain, and the report names it.

mod between;
mod cell;
mod column;
mod of;
mod outcome;
mod overlap;
mod report;
mod set;
mod total;
mod words;

use std::sync::Arc;

use column::{Column, Uncut};
use set::{Cuboid, Steps, TooLarge};

pub use report::{Dead, Found, Gap, Input, Kind, Opaque, Overlap, Report, Row, Why};
pub use total::{NotTotal, require, require_within};

/// Rules that a table may have to be examined.
pub const RULES: usize = 2_000;

/// Different tests that one column may have to be examined.
pub const TESTS: usize = 500;

/// Constants in the different tests of one column.
pub const CONSTANTS: usize = 4_000;

/// Cells that one examination, or those of one model, may compare: a bound on their time, a second or two at worst.
pub const STEPS: u64 = 200_000_000;

/// Findings of one sort that a report lists; it says when there are more.
pub const LISTED: usize = 100;

/// What the examinations of several tables may take together: [`STEPS`] comparisons of cells.
#[derive(Debug)]
pub struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(STEPS)
    }
}

/// A decision table, as texts.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What it is called.
    pub name: String,
    /// Which rules decide where several hit.
    pub policy: Policy,
    /// The columns of inputs.
    pub inputs: Vec<InputColumn>,
    /// For each column of outputs its values in order of priority, the highest first; none where that is not said.
    pub outputs: Vec<Vec<String>>,
    /// The rules, from the first row on.
    pub rules: Vec<Rule>,
}

/// What the examination asks of a hit policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// One rule hits at most.
    #[default]
    Unique,
    /// Those that hit say the same.
    Any,
    /// The first that hits decides.
    First,
    /// The one with the highest output decides.
    Priority,
    /// All that hit take part: rule order, output order, collect.
    All,
}

/// A column of inputs.
#[derive(Debug, Clone, Default)]
pub struct InputColumn {
    /// The expression, or what stands above the column.
    pub name: Arc<str>,
    /// The FEEL name of its type, where it is one without parts.
    pub type_name: Option<Arc<str>>,
    /// Unary tests that its values pass; null is not among them unless they say so.
    pub allowed: Option<Arc<str>>,
}

/// A row.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Its id in the model, where it has one.
    pub id: Option<Arc<str>>,
    /// Unary tests, one for each column of inputs.
    pub tests: Vec<Arc<str>>,
    /// Expressions, one for each column of outputs.
    pub outputs: Vec<Arc<str>>,
}

/// A rule as a box.
struct Space {
    /// All inputs that may hit the rule.
    may: Cuboid,
    /// Whether they all do: none of the rule's cells is opaque.
    certain: bool,
}

/// Examines a table.
#[must_use]
pub fn examine(table: &Table) -> Report {
    examine_within(table, &mut Budget::default())
}

/// Examines one of several tables that share a budget.
#[must_use]
pub fn examine_within(table: &Table, budget: &mut Budget) -> Report {
    let mut report = Report::of(table);
    let mut steps = Steps { left: budget.0, columns: table.inputs.len() };
    report.not_examined = look(table, &mut report, &mut steps).err();
    budget.0 = steps.left;
    report
}

/// Looks at a table; gives the reason where that has no end.
fn look(table: &Table, report: &mut Report, steps: &mut Steps) -> Result<(), String> {
    if table.rules.len() > RULES {
        return Err(format!("too large: it has more than {RULES} rules"));
    }
    if let Some(at) = table.rules.iter().position(|rule| rule.tests.len() != table.inputs.len()) {
        return Err(format!("row {} has not one cell for each column", at + 1));
    }
    let too_large = || format!("too large: it takes more than {STEPS} comparisons of cells, with the tables before it");
    let columns = table.inputs.iter().enumerate().map(|(at, input)| Column::cut(input, at, &table.rules, steps));
    let columns = columns.collect::<Result<Vec<Column>, Uncut>>().map_err(|uncut| match uncut {
        Uncut::TooManyTests => {
            format!("too large: a column has more than {TESTS} different tests, or {CONSTANTS} constants in them")
        }
        Uncut::TooLarge => too_large(),
    })?;
    note(table, &columns, report);
    find(table, &columns, report, steps).map_err(|TooLarge| too_large())
}

fn note(table: &Table, columns: &[Column], report: &mut Report) {
    for (input, column) in table.inputs.iter().zip(columns) {
        report.notes.extend(column.notes.iter().map(|note| format!("column {}: {note}", input.name)));
    }
    for (at, input) in table.inputs.iter().enumerate() {
        if table.inputs[..at].iter().any(|other| other.name == input.name) {
            let note = format!("column {}: it is there twice, and taken as two that know nothing of each other", input.name);
            report.notes.push(note);
        }
    }
}

fn find(table: &Table, columns: &[Column], report: &mut Report, steps: &mut Steps) -> Result<(), TooLarge> {
    let spaces = spaces(table, columns, report);
    gaps(table, columns, &spaces, report, steps)?;
    let outcomes = outcome::read(table);
    overlap::find(table, columns, &spaces, &outcomes, report, steps)?;
    dead(table, &spaces, &outcomes, report, steps)
}

fn spaces(table: &Table, columns: &[Column], report: &mut Report) -> Vec<Space> {
    let mut spaces = Vec::with_capacity(table.rules.len());
    for (row, rule) in table.rules.iter().enumerate() {
        let mut certain = true;
        let mut sets = Vec::with_capacity(columns.len());
        for ((column, text), input) in columns.iter().zip(&rule.tests).zip(&table.inputs) {
            sets.push(column.set(text).cloned().unwrap_or_else(|| {
                certain = false;
                report.opaque.push(Opaque { row: Row::of(table, row), column: input.name.to_string() });
                column.whole()
            }));
        }
        spaces.push(Space { may: Cuboid(sets), certain });
    }
    spaces
}

fn gaps(table: &Table, columns: &[Column], spaces: &[Space], report: &mut Report, steps: &mut Steps) -> Result<(), TooLarge> {
    let whole = Cuboid(columns.iter().map(Column::whole).collect());
    if whole.is_empty() {
        return Ok(());
    }
    let covering: Vec<&Cuboid> = spaces.iter().filter(|space| space.certain).map(|space| &space.may).collect();
    let mut found = set::uncovered(whole, &covering, LISTED, steps)?;
    report.gaps.more = found.len() > LISTED;
    found.truncate(LISTED);
    for gap in set::joined(found) {
        let certain = !spaces.iter().any(|space| !space.certain && space.may.meets(&gap));
        report.gaps.listed.push(Gap {
            inputs: words::inputs(table, columns, &gap),
            example: words::example(table, columns, &gap),
            certain,
        });
    }
    Ok(())
}

/// Rules that no input hits, or that always lose to others.
fn dead(
    table: &Table,
    spaces: &[Space],
    outcomes: &outcome::Outcomes,
    report: &mut Report,
    steps: &mut Steps,
) -> Result<(), TooLarge> {
    for (row, space) in spaces.iter().enumerate() {
        if let Some(empty) = space.may.0.iter().position(set::Set::is_empty) {
            let column = table.inputs[empty].name.to_string();
            report.dead.push(Dead { row: Row::of(table, row), why: Why::NeverHits { column } });
            continue;
        }
        if !matches!(table.policy, Policy::First | Policy::Priority) {
            continue;
        }
        steps.take(spaces.len())?;
        let winners: Vec<usize> = (0..spaces.len())
            .filter(|other| {
                spaces[*other].certain && outcomes.beats(*other, row) == Some(true) && spaces[*other].may.meets(&space.may)
            })
            .collect();
        let covering: Vec<&Cuboid> = winners.iter().map(|winner| &spaces[*winner].may).collect();
        if !winners.is_empty() && set::uncovered(space.may.clone(), &covering, 0, steps)?.is_empty() {
            let by = winners.into_iter().map(|winner| Row::of(table, winner)).collect();
            report.dead.push(Dead { row: Row::of(table, row), why: Why::NeverDecides { by } });
        }
    }
    Ok(())
}
