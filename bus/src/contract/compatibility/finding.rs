//! What a comparison finds: which rule is broken, by what, where.

use std::fmt;

use super::rule::Rule;
use super::schema::Place;

/// A rule that a change breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What changed: `field amount (3) of bank.v1.Transfer`.
    pub element: String,
    /// How it was: `type int64`.
    pub old: String,
    /// How it is: `type string`.
    pub new: String,
    /// Where it is written in the new version; of what is gone, where it is missed.
    pub place: Option<Place>,
    /// By what a caller meets it.
    pub touches: Touches,
}

/// By what a caller meets a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touches {
    /// Messages of that type, by full name, or those that hold one; of that field only, if one is named.
    Message(String, Option<String>),
    /// Values of that enum.
    Enum(String),
    /// Methods of that service.
    Service(String),
    /// That method: `/bank.v1.Accounts/Inquire`.
    Method(String),
    /// No call: only code that is generated from it.
    Source,
}

impl Finding {
    /// What changed and how, without rule and place.
    pub fn message(&self) -> String {
        format!("{}: {}, now {}", self.element, self.old, self.new)
    }
}

/// `bank/v1/transfer.proto:12:3: FIELD_SAME_TYPE: field amount (3) of bank.v1.Transfer: type int64, now type string`.
impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(formatter, "{place}: ")?;
        }
        write!(formatter, "{}: {}", self.rule, self.message())
    }
}
