//! Which changes of a contract are refused.

use std::collections::BTreeMap;

use passerelle_bus::contract::compatibility::{self as gate, Policy, RuleSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which changes of a contract are refused: by rules named as those of `buf breaking`. A contract's own level goes before its group's,
/// and that before this one; what a level leaves out is as in the one above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Compatibility {
    /// Categories (FILE, PACKAGE, WIRE_JSON, WIRE) and single rules that a new version must keep. FILE for teams that ship code generated
    /// from the contract; an empty list lets everything pass.
    pub rules: Vec<RuleName>,
    /// Rules of `rules` that need not be kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<RuleName>,
    /// Versions whose callers are protected: `last`, the newest; or `all` that are registered.
    pub against: Against,
    /// By package: `bank.cards` is for the contracts `bank.cards`, `bank.cards.v1` and so on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, CompatibilityLevel>,
    /// By a contract's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contracts: BTreeMap<String, CompatibilityLevel>,
}

/// What is refused for some contracts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompatibilityLevel {
    /// In place of the `rules` above; `except` is then empty unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<RuleName>>,
    /// In place of the `except` above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub except: Option<Vec<RuleName>>,
    /// In place of the `against` above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// Versions whose callers are protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Against {
    /// The newest.
    #[default]
    Last,
    /// All that are registered.
    All,
}

/// A category or a rule, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct RuleName(String);

impl TryFrom<String> for RuleName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        RuleSet::of(&[name.as_str()], &[]).map_err(|error| error.to_string())?;
        Ok(Self(name))
    }
}

impl From<RuleName> for String {
    fn from(name: RuleName) -> Self {
        name.0
    }
}

impl Default for Compatibility {
    fn default() -> Self {
        let rules = RuleSet::LIVE.map(|name| RuleName(name.to_owned()));
        Self {
            rules: rules.into(),
            except: Vec::new(),
            against: Against::default(),
            groups: BTreeMap::new(),
            contracts: BTreeMap::new(),
        }
    }
}

impl Compatibility {
    /// The same for the registry.
    pub fn policy(&self) -> Policy {
        let global = Written { rules: &self.rules, except: &self.except, against: self.against };
        let group = |name: &str| gate::nearest(&self.groups, name).map_or(global, |level| global.overridden(level));
        let level = |(name, level): (&String, &CompatibilityLevel)| (name.clone(), group(name).overridden(level).level());
        Policy {
            global: global.level(),
            groups: self.groups.iter().map(|(name, level)| (name.clone(), global.overridden(level).level())).collect(),
            contracts: self.contracts.iter().map(level).collect(),
        }
    }
}

/// A level with nothing left out.
#[derive(Clone, Copy)]
struct Written<'a> {
    rules: &'a [RuleName],
    except: &'a [RuleName],
    against: Against,
}

impl<'a> Written<'a> {
    fn overridden(self, level: &'a CompatibilityLevel) -> Self {
        let except = if level.rules.is_some() { &[] } else { self.except };
        Self {
            rules: level.rules.as_deref().unwrap_or(self.rules),
            except: level.except.as_deref().unwrap_or(except),
            against: level.against.unwrap_or(self.against),
        }
    }

    fn level(self) -> gate::Level {
        let names = |names: &'a [RuleName]| names.iter().map(|name| name.0.as_str()).collect::<Vec<_>>();
        // Names were checked when they were read.
        let rules = RuleSet::of(&names(self.rules), &names(self.except)).unwrap_or_else(|_| RuleSet::live());
        let against = match self.against {
            Against::Last => gate::Against::Last,
            Against::All => gate::Against::All,
        };
        gate::Level { rules, against }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_registry() {
        assert_eq!(Compatibility::default().policy(), Policy::default());
    }

    #[test]
    fn what_a_level_leaves_out_is_as_above_it() {
        let names = |names: &[&str]| Some(names.iter().map(|name| RuleName((*name).to_owned())).collect());
        let written = Compatibility {
            groups: BTreeMap::from([(
                "bank".to_owned(),
                CompatibilityLevel { rules: names(&["FILE"]), except: names(&["FIELD_SAME_NAME"]), against: Some(Against::All) },
            )]),
            contracts: BTreeMap::from([
                ("bank.v1".to_owned(), CompatibilityLevel { against: Some(Against::Last), ..Default::default() }),
                ("bank.v2".to_owned(), CompatibilityLevel { rules: names(&["FILE"]), ..Default::default() }),
                ("shop.v1".to_owned(), CompatibilityLevel { rules: names(&[]), ..Default::default() }),
            ]),
            ..Compatibility::default()
        };
        let policy = written.policy();
        let level =
            |rules: &[&str], except: &[&str], against| gate::Level { rules: RuleSet::of(rules, except).unwrap(), against };
        assert_eq!(*policy.level("bank.v3"), level(&["FILE"], &["FIELD_SAME_NAME"], gate::Against::All));
        assert_eq!(*policy.level("bank.v1"), level(&["FILE"], &["FIELD_SAME_NAME"], gate::Against::Last));
        assert_eq!(*policy.level("bank.v2"), level(&["FILE"], &[], gate::Against::All));
        assert_eq!(*policy.level("shop.v1"), level(&[], &[], gate::Against::Last));
        assert_eq!(policy.level("other.v1"), &Policy::default().global);
    }
}
