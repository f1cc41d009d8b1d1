//! What came of a run: for people, for CI, for programs.

mod json;
mod junit;
mod text;

use std::time::Duration;

use passerelle_adapter::Maturity;

use crate::law::{Finding, Held, Law};

/// What came of a law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Kept,
    /// It does not hold: what was seen.
    Broken(String),
    /// It could not be checked: what to give.
    NotProven(String),
    /// It is about an ability or a side of the port that is not there: why.
    NotAsked(String),
}

impl Outcome {
    pub(crate) fn of(held: Held) -> Self {
        match held {
            Ok(()) => Self::Kept,
            Err(Finding::Broken(seen)) => Self::Broken(seen),
            Err(Finding::NotProven(give)) => Self::NotProven(give),
            Err(Finding::NotAsked(why)) => Self::NotAsked(why),
        }
    }

    /// One word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Broken(_) => "broken",
            Self::NotProven(_) => "not proven",
            Self::NotAsked(_) => "not asked",
        }
    }
}

/// One law, and what came of it.
#[derive(Debug, Clone)]
pub struct Row {
    /// The law.
    pub law: Law,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// Every law that was chosen.
    pub rows: Vec<Row>,
    /// How long it all took.
    pub took: Duration,
}

impl Report {
    /// The laws that do not hold.
    pub fn broken(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| matches!(row.outcome, Outcome::Broken(_)))
    }

    /// The laws that could not be checked.
    pub fn not_proven(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| matches!(row.outcome, Outcome::NotProven(_)))
    }

    /// The laws that hold.
    pub fn kept(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.outcome == Outcome::Kept)
    }

    /// How far the adapter may be trusted by this run: nothing where a law is broken, stable where all that apply are proven, beta where at most a tenth
    /// is not, alpha otherwise. A run of some laws only earns nothing.
    pub fn maturity(&self) -> Option<Maturity> {
        let (kept, unproven) = (self.kept().count(), self.not_proven().count());
        let is_whole = self.rows.len() == crate::laws::all().len();
        match () {
            () if self.broken().next().is_some() || kept == 0 || !is_whole => None,
            () if unproven == 0 => Some(Maturity::Stable),
            () if unproven * 10 <= kept + unproven => Some(Maturity::Beta),
            () => Some(Maturity::Alpha),
        }
    }
}
