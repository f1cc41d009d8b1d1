//! What an examination found, for machines (serde) and for people (`Display`).

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{Policy, Table};

/// The completeness report of one decision table.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The table.
    pub table: String,
    /// Its hit policy.
    pub policy: Policy,
    /// How many rules it has.
    pub rules: usize,
    /// Why the table could not be examined, or not to the end: what is not listed is then not known.
    pub not_examined: Option<String>,
    /// Inputs that no rule covers.
    pub gaps: Found<Gap>,
    /// Rules of which one input hits both, against the hit policy.
    pub conflicts: Found<Overlap>,
    /// Rules of which one input hits both, as the hit policy allows.
    pub overlaps: Found<Overlap>,
    /// Rules that never decide.
    pub dead: Vec<Dead>,
    /// Cells that are not made of constants, or of mistaken ones. What they let pass is not known.
    pub opaque: Vec<Opaque>,
    /// What else is to be known of how the table was read.
    pub notes: Vec<String>,
}

/// Findings of one sort.
#[derive(Debug, Clone, Serialize)]
pub struct Found<T> {
    /// The first of them.
    pub listed: Vec<T>,
    /// Whether there are more than a report lists.
    pub more: bool,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { listed: Vec::new(), more: false }
    }
}

/// A rule, as people find it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Row {
    /// Counted from 1.
    pub row: usize,
    /// Its id in the model, where it has one.
    pub id: Option<String>,
}

/// What is asked of one column.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Input {
    /// The column.
    pub column: String,
    /// Tests of FEEL.
    pub values: String,
}

/// Inputs that no rule covers.
#[derive(Debug, Clone, Serialize)]
pub struct Gap {
    /// Which; a column that is not named may have any value.
    pub inputs: Vec<Input>,
    /// One of them.
    pub example: Map<String, Json>,
    /// Whether no rule with an opaque cell may cover some of them after all.
    pub certain: bool,
}

/// Two rules that some input hits both of.
#[derive(Debug, Clone, Serialize)]
pub struct Overlap {
    /// The two.
    pub rows: [Row; 2],
    /// What becomes of it.
    pub kind: Kind,
    /// The inputs that hit both; a column that is not named may have any value.
    pub inputs: Vec<Input>,
    /// One of them.
    pub example: Map<String, Json>,
    /// Whether this is so; otherwise it depends on what opaque cells or outputs give.
    pub certain: bool,
}

/// What becomes of an input that hits two rules.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The hit policy forbids it.
    Conflict,
    /// One of the two decides, and says something else.
    Masked,
    /// Both say the same.
    Same,
}

/// A rule that never decides.
#[derive(Debug, Clone, Serialize)]
pub struct Dead {
    /// The rule.
    pub row: Row,
    /// Why.
    pub why: Why,
}

/// Why a rule never decides.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No value passes its cell in this column.
    NeverHits {
        /// The column.
        column: String,
    },
    /// Whatever hits it hits one of these, which win.
    NeverDecides {
        /// Those.
        by: Vec<Row>,
    },
}

/// A cell that is not made of constants.
#[derive(Debug, Clone, Serialize)]
pub struct Opaque {
    /// Its rule.
    pub row: Row,
    /// Its column.
    pub column: String,
}

impl Report {
    pub(super) fn of(table: &Table) -> Self {
        Self {
            table: table.name.clone(),
            policy: table.policy,
            rules: table.rules.len(),
            not_examined: None,
            gaps: Found::default(),
            conflicts: Found::default(),
            overlaps: Found::default(),
            dead: Vec::new(),
            opaque: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether each input hits a rule, no two rules are at odds, and every rule decides something: all that is certain.
    #[must_use]
    pub fn is_total(&self) -> bool {
        self.not_examined.is_none() && self.gaps.listed.is_empty() && self.conflicts.listed.is_empty() && self.dead.is_empty()
    }
}

impl Row {
    pub(super) fn of(table: &Table, row: usize) -> Self {
        Self { row: row + 1, id: table.rules[row].id.as_deref().map(str::to_owned) }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "row {} ({id})", self.row),
            None => write!(f, "row {}", self.row),
        }
    }
}

struct Listed<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.values)
    }
}

fn example(example: &Map<String, Json>) -> String {
    Json::Object(example.clone()).to_string()
}

fn anything(inputs: &[Input]) -> String {
    if inputs.is_empty() { "any input".to_owned() } else { Listed(inputs).to_string() }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sure = if self.certain { "" } else { " for certain" };
        write!(f, "no rule covers{sure} {}; for example {}", anything(&self.inputs), example(&self.example))
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = &self.rows;
        let hit = if self.certain { "both hit" } else { "may both hit" };
        let so = match self.kind {
            Kind::Conflict => "are at odds",
            Kind::Masked => "differ, one decides",
            Kind::Same => "say the same",
        };
        write!(f, "{first} and {second} {hit} and {so} on {}; for example {}", anything(&self.inputs), example(&self.example))
    }
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::NeverHits { column } => write!(f, "{} never hits: no value passes its cell in column {column}", self.row),
            Why::NeverDecides { by } => write!(f, "{} never decides: what hits it hits {} too", self.row, Listed(by)),
        }
    }
}

impl fmt::Display for Report {
    /// One line for the table, then one for each finding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |more: bool, count: usize| format!("{}{count}", if more { "more than " } else { "" });
        writeln!(
            f,
            "{}: {} rules, {:?}; gaps {}, conflicts {}, dead rules {}, opaque cells {}",
            self.table,
            self.rules,
            self.policy,
            count(self.gaps.more, self.gaps.listed.len()),
            count(self.conflicts.more, self.conflicts.listed.len()),
            self.dead.len(),
            self.opaque.len(),
        )?;
        if let Some(why) = &self.not_examined {
            writeln!(f, "  not examined to the end: {why}")?;
        }
        self.gaps.listed.iter().try_for_each(|gap| writeln!(f, "  gap: {gap}"))?;
        self.conflicts.listed.iter().try_for_each(|overlap| writeln!(f, "  conflict: {overlap}"))?;
        self.dead.iter().try_for_each(|dead| writeln!(f, "  dead rule: {dead}"))?;
        let masked = self.overlaps.listed.iter().filter(|overlap| overlap.kind == Kind::Masked);
        masked.into_iter().try_for_each(|overlap| writeln!(f, "  overlap: {overlap}"))?;
        for Opaque { row, column } in &self.opaque {
            writeln!(f, "  opaque: {row}, column {column}: not made of constants, not looked into")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  note: {note}"))
    }
}
