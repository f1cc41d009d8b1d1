//! Certificates, and what would have changed a decision, as people read them.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use jiff::Timestamp;

use crate::value::Value;

use super::certificate::{Certificate, Close, Hit, Step};
use super::change::Change;

/// Names with their values.
struct Named<'a>(&'a [(Arc<str>, Value)]);

impl Display for Named<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}: {}", if at == 0 { "" } else { ", " }, value.quoted())?;
        }
        Ok(())
    }
}

fn rule(f: &mut Formatter<'_>, row: usize, id: &str) -> fmt::Result {
    if id.is_empty() { write!(f, "row {row}") } else { write!(f, "row {row} ({id})") }
}

/// One line for the decision, one for each input, and what follows for each step in its order.
impl Display for Certificate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}\nmodel {} ({})", self.decision, self.outcome.quoted(), self.model, self.namespace)?;
        if !self.version.is_empty() {
            write!(f, ", version {}", self.version)?;
        }
        if let Some(now) = self.now.and_then(|now| Timestamp::try_from(now).ok()) {
            write!(f, "\nat {now}")?;
        }
        for (name, value) in self.inputs.iter() {
            write!(f, "\ninput {name}: {}", value.quoted())?;
        }
        for warning in &self.warnings {
            write!(f, "\nwarning: {warning}")?;
        }
        for step in &self.steps {
            write!(f, "\n{step}")?;
        }
        match self.steps_not_listed {
            0 => Ok(()),
            more => write!(f, "\nand {more} steps more"),
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result { element, name, arguments, value, .. } => {
                write!(f, "{element} {name}")?;
                if !arguments.is_empty() {
                    write!(f, "({})", Named(arguments))?;
                }
                write!(f, " = {}", value.quoted())
            }
            Self::Table { name, inputs, hits, runner_up, .. } => {
                write!(f, "table of {name} over {}", Named(inputs))?;
                if hits.is_empty() {
                    write!(f, "\n  no rule decides")?;
                }
                hits.iter().try_for_each(|hit| write!(f, "\n  {hit}"))?;
                runner_up.iter().try_for_each(|close| write!(f, "\n  {close}"))
            }
        }
    }
}

impl Display for Hit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        rule(f, self.row, &self.id)?;
        write!(f, " decides")?;
        for (name, text) in &self.annotations {
            write!(f, "; {}{text}", if name.is_empty() { String::new() } else { format!("{name}: ") })?;
        }
        Ok(())
    }
}

impl Display for Close {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        rule(f, self.row, &self.id)?;
        if self.against.is_empty() {
            return write!(f, " comes next: it hits too, and the hit policy prefers another");
        }
        let against: Vec<&str> = self.against.iter().map(|label| &**label).collect();
        write!(f, " comes next: against it {} {}", if against.len() == 1 { "is" } else { "are" }, against.join(", "))
    }
}

/// The input, its other value, and the outcome.
impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.input)?;
        self.entries.iter().try_for_each(|entry| write!(f, ".{entry}"))?;
        write!(f, " = {} would give {}", self.value.quoted(), self.outcome.quoted())
    }
}
