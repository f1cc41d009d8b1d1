//! Lines: who calls customers back, when, and how often; as people declare it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use passerelle_bus::calendar::{Calendar, ClosedDate, Week, ZoneName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of a line, in bytes.
const LONGEST_NAME: usize = 64;

/// Web callback: the lines that customers can ask to be called by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackSettings {
    /// The lines, by a name of your choice.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<LineName, Line>,
}

/// A line's name: letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct LineName(String);

/// A group of advisers who call customers back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The endpoint with adapter `callback` where its advisers sit.
    pub desk: String,
    /// The time zone of its hours, a name of the IANA database: `Europe/Paris`.
    pub time_zone: ZoneName,
    /// Its hours, by day of the week: `monday: ["09:00-12:30", "14:00-18:00"]`.
    pub open: Week,
    /// Days on which it is closed all the same: `2026-12-25`.
    #[serde(default)]
    pub closed: Vec<ClosedDate>,
    /// How long a slot is, in seconds. Default: 900.
    #[serde(default = "Line::slot_seconds")]
    #[schemars(range(min = 1, max = 86_400))]
    pub slot_seconds: u32,
    /// How many calls are promised for one slot.
    #[schemars(range(min = 1, max = 1_000))]
    pub capacity: u32,
    /// How far ahead a call can be promised, in days. Default: 14.
    #[serde(default = "Line::horizon_days")]
    #[schemars(range(min = 1, max = 366))]
    pub horizon_days: u32,
    /// How often a customer is called who is busy or does not answer. Default: 3.
    #[serde(default = "Line::attempts")]
    #[schemars(range(min = 1, max = 10))]
    pub attempts: u32,
    /// How often advisers are looked for, when none takes the call or the bus was interrupted. Default: 30.
    #[serde(default = "Line::searches")]
    #[schemars(range(min = 1, max = 1_000))]
    pub searches: u32,
    /// Pause before a customer who was busy or did not answer is called again, in seconds. Default: 1800.
    #[serde(default = "Line::retry_seconds")]
    #[schemars(range(min = 1, max = 604_800))]
    pub retry_seconds: u32,
    /// Pause before advisers are looked for again, in seconds. Default: 60.
    #[serde(default = "Line::search_seconds")]
    #[schemars(range(min = 1, max = 86_400))]
    pub search_seconds: u32,
    /// How long advisers are looked for in one attempt, in seconds. Default: 45.
    #[serde(default = "Line::ring_seconds")]
    #[schemars(range(min = 1, max = 3_600))]
    pub ring_seconds: u32,
    /// How long an adviser who took a call has to say what became of it, in seconds; after that it is shown as unresolved. Default: 3600.
    #[serde(default = "Line::lease_seconds")]
    #[schemars(range(min = 1, max = 86_400))]
    pub lease_seconds: u32,
}

impl Line {
    fn slot_seconds() -> u32 {
        900
    }

    fn horizon_days() -> u32 {
        14
    }

    fn attempts() -> u32 {
        3
    }

    fn searches() -> u32 {
        30
    }

    fn retry_seconds() -> u32 {
        1800
    }

    fn search_seconds() -> u32 {
        60
    }

    fn ring_seconds() -> u32 {
        45
    }

    fn lease_seconds() -> u32 {
        3600
    }

    /// When the line can call.
    pub fn calendar(&self) -> Calendar {
        Calendar::new(&self.time_zone, self.open.clone(), &self.closed, i64::from(self.slot_seconds))
    }
}

impl CallbackSettings {
    /// Whether no line is declared.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// `(path, what is wrong)` of everything that the types cannot say. `desks` are the endpoints with adapter `callback`.
    pub fn problems(&self, desks: &[&str]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (name, line) in &self.lines {
            let path = |field: &str| format!("callback.lines.{name}.{field}");
            if !desks.contains(&line.desk.as_str()) {
                found.push((path("desk"), unknown_desk(&line.desk, desks)));
            }
            if line.open.is_empty() {
                found.push((path("open"), "it never opens: give at least one day its hours".to_owned()));
            }
            for (day, message) in line.open.problems(i64::from(line.slot_seconds)) {
                found.push((path(&format!("open.{day}")), message));
            }
        }
        found
    }
}

fn unknown_desk(name: &str, desks: &[&str]) -> String {
    match desks {
        [] => format!(
            "there is no endpoint `{name}` with adapter `callback`: declare `endpoints: {{ {name}: {{ adapter: callback, file: FILE }} }}`"
        ),
        some => format!("`{name}` is no endpoint with adapter `callback` (those are: {})", some.join(", ")),
    }
}

impl LineName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LineName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(fits) {
            true => Ok(Self(text)),
            false => Err(format!("`{text}` is no name of a line: 1 to {LONGEST_NAME} letters, digits, `-` and `_`")),
        }
    }
}

impl From<LineName> for String {
    fn from(name: LineName) -> Self {
        name.0
    }
}

impl std::borrow::Borrow<str> for LineName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for LineName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}
