//! The report as JUnit XML, for CI. A law that is not proven, or does not apply, is a skipped test.

use std::fmt::Write as _;

use super::{Outcome, Report};

impl Report {
    /// JUnit XML: one suite, one test case a law, its group as the class.
    pub fn junit(&self) -> String {
        let (all, broken) = (self.rows.len(), self.broken().count());
        let skipped = all - broken - self.kept().count();
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(
            text,
            "<testsuite name=\"passerelle conformance\" tests=\"{all}\" failures=\"{broken}\" skipped=\"{skipped}\" time=\"{:.3}\">",
            self.took.as_secs_f64()
        );
        for row in &self.rows {
            let law = row.law;
            let _ = write!(
                text,
                "  <testcase classname=\"{}\" name=\"{}: {}\" time=\"{:.3}\"",
                escaped(law.group()),
                escaped(law.id),
                escaped(law.title),
                row.took.as_secs_f64()
            );
            let _ = match &row.outcome {
                Outcome::Kept => writeln!(text, "/>"),
                Outcome::Broken(seen) => writeln!(
                    text,
                    ">\n    <failure message=\"{}\">why: {}\nmend: {}</failure>\n  </testcase>",
                    escaped(seen),
                    escaped(law.why),
                    escaped(law.mend)
                ),
                outcome @ (Outcome::NotProven(why) | Outcome::NotAsked(why)) => {
                    writeln!(text, ">\n    <skipped message=\"{}: {}\"/>\n  </testcase>", outcome.word(), escaped(why))
                }
            };
        }
        text.push_str("</testsuite>\n");
        text
    }
}

/// Text for XML; what XML 1.0 does not know at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}
