//! A set of rules, as people choose it: categories and rules by name, without some.

use std::collections::BTreeSet;
use std::fmt;

use super::rule::{Category, Rule};

/// Which rules a change is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet(BTreeSet<Rule>);

/// A name that is neither a category nor a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no category (FILE, PACKAGE, WIRE_JSON, WIRE) and no rule of `buf config ls-breaking-rules`{}", near(.closest))]
pub struct UnknownRule {
    /// The name.
    pub name: String,
    /// The rule that was meant, perhaps.
    pub closest: Option<&'static str>,
}

fn near(closest: &Option<&'static str>) -> String {
    closest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

impl RuleSet {
    /// The rules of categories and rules by name, without those in `except`.
    ///
    /// # Errors
    /// A name that is unknown.
    pub fn of<Name: AsRef<str>>(chosen: &[Name], except: &[Name]) -> Result<Self, UnknownRule> {
        let named = |names: &[Name]| -> Result<BTreeSet<Rule>, UnknownRule> {
            names.iter().map(|name| rules(name.as_ref())).try_fold(BTreeSet::new(), |mut all, found| {
                all.extend(found?);
                Ok(all)
            })
        };
        Ok(Self(named(chosen)?.difference(&named(except)?).copied().collect()))
    }

    /// The rules of one category.
    pub fn category(category: Category) -> Self {
        Self(Rule::all().filter(|rule| rule.categories().contains(&category)).collect())
    }

    /// The names that make up [`RuleSet::live`], for those who write them down.
    pub const LIVE: [&'static str; 3] = ["WIRE_JSON", "RPC_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE"];

    /// What a contract with callers is held against unless settings say otherwise: messages stay readable in protobuf and JSON, and
    /// no method or service goes away under its callers.
    pub fn live() -> Self {
        let mut rules = Self::category(Category::WireJson);
        rules.0.extend([Rule::RpcNoDelete, Rule::PackageServiceNoDelete]);
        rules
    }

    /// Whether a rule belongs to it.
    pub fn contains(&self, rule: Rule) -> bool {
        self.0.contains(&rule)
    }

    /// Whether there is none: everything is compatible.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Names of the rules.
impl fmt::Display for RuleSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|rule| rule.name()).collect();
        formatter.write_str(&names.join(", "))
    }
}

fn rules(name: &str) -> Result<Vec<Rule>, UnknownRule> {
    if let Some(category) = Category::ALL.into_iter().find(|category| category.name() == name) {
        return Ok(RuleSet::category(category).0.into_iter().collect());
    }
    match Rule::all().find(|rule| rule.name() == name) {
        Some(rule) => Ok(vec![rule]),
        None => Err(UnknownRule { name: name.to_owned(), closest: closest(name) }),
    }
}

/// The rule whose name shares the most words; among equals the one that begins most like it.
fn closest(name: &str) -> Option<&'static str> {
    let wanted = name.to_ascii_uppercase();
    let words: BTreeSet<&str> = wanted.split(['_', '-', ' ']).collect();
    let shared = |rule: &Rule| rule.name().split('_').filter(|word| words.contains(word)).count();
    let beginning = |rule: &Rule| rule.name().bytes().zip(wanted.bytes()).take_while(|(one, other)| one == other).count();
    let likeness = |rule: &Rule| (shared(rule), beginning(rule), usize::MAX - rule.name().len());
    Rule::all().max_by_key(likeness).filter(|rule| shared(rule) > 1).map(Rule::name)
}
