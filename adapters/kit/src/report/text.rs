//! The report that a person reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Outcome, Report, Row};

impl Row {
    /// One line, as it is told while the run goes on.
    pub fn line(&self) -> String {
        let took = self.took.as_millis();
        match &self.outcome {
            Outcome::Kept => format!("  kept        {:<34} {took} ms", self.law.id),
            outcome => format!("  {:<11} {:<34} {took} ms", outcome.word(), self.law.id),
        }
    }
}

impl Report {
    /// What broke, why it matters and how to mend it; what is not proven, and what to give; what was earned.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for row in self.broken() {
            let Outcome::Broken(seen) = &row.outcome else { continue };
            let law = row.law;
            let _ =
                write!(text, "\nBROKEN  {}: {}\n  seen  {seen}\n  why   {}\n  mend  {}\n", law.id, law.title, law.why, law.mend);
        }
        // By what to give: that is what people can do.
        let mut gifts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in self.not_proven() {
            if let Outcome::NotProven(give) = &row.outcome {
                gifts.entry(give).or_default().push(row.law.id);
            }
        }
        if !gifts.is_empty() {
            text.push_str("\nNot proven, for want of means:\n");
        }
        for (give, laws) in gifts {
            let _ = writeln!(text, "  {give}\n    {}", laws.join(", "));
        }
        let _ = write!(text, "\n{}\n", self.summary());
        text
    }

    /// The last line.
    pub fn summary(&self) -> String {
        let (broken, unproven) = (self.broken().count(), self.not_proven().count());
        let not_asked = self.rows.len() - self.kept().count() - broken - unproven;
        let mut line = format!("{} laws: {} kept, {broken} broken, {unproven} not proven", self.rows.len(), self.kept().count());
        if not_asked > 0 {
            let _ = write!(line, ", {not_asked} do not apply");
        }
        let _ = write!(line, "; {} s. ", self.took.as_secs());
        match self.maturity() {
            Some(maturity) => {
                let _ = write!(line, "Maturity earned: {}", maturity.as_str());
            }
            None => line.push_str("Maturity earned: none"),
        }
        line
    }
}
