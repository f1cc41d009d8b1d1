//! The report as JSON, for programs.

use serde_json::{Value, json};

use super::{Outcome, Report};

impl Report {
    /// Every law with its outcome, and what was earned.
    pub fn json(&self) -> Value {
        let laws = self.rows.iter().map(|row| {
            let detail = match &row.outcome {
                Outcome::Kept => None,
                Outcome::Broken(text) | Outcome::NotProven(text) | Outcome::NotAsked(text) => Some(text),
            };
            json!({
                "id": row.law.id,
                "title": row.law.title,
                "outcome": row.outcome.word().replace(' ', "_"),
                "detail": detail,
                "why": row.law.why,
                "mend": row.law.mend,
                "took_ms": u64::try_from(row.took.as_millis()).unwrap_or(u64::MAX),
            })
        });
        json!({
            "maturity": self.maturity().map(passerelle_adapter::Maturity::as_str),
            "kept": self.kept().count(),
            "broken": self.broken().count(),
            "not_proven": self.not_proven().count(),
            "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "laws": laws.collect::<Vec<_>>(),
        })
    }
}
