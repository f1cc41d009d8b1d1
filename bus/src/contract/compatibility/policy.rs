//! Which rules hold for which contract: global, for a group of packages, for one contract; the most specific wins.

use std::collections::BTreeMap;

use super::super::admission::is_within;
use super::rule_set::RuleSet;

/// How new versions are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Where nothing more specific is said.
    pub global: Level,
    /// By package: `bank.cards` is for `bank.cards`, `bank.cards.v1` and so on.
    pub groups: BTreeMap<String, Level>,
    /// By the contract's name.
    pub contracts: BTreeMap<String, Level>,
}

/// How new versions of some contracts are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// What must not be broken; nothing, if it is empty.
    pub rules: RuleSet,
    /// The versions whose callers are protected.
    pub against: Against,
}

/// The versions that a new one is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Against {
    /// The newest (other registries say BACKWARD).
    #[default]
    Last,
    /// All that are registered (BACKWARD_TRANSITIVE): callers of an older one are protected too.
    All,
}

impl Default for Policy {
    fn default() -> Self {
        let global = Level { rules: RuleSet::live(), against: Against::default() };
        Self { global, groups: BTreeMap::new(), contracts: BTreeMap::new() }
    }
}

impl Policy {
    /// What holds for a contract.
    pub fn level(&self, contract: &str) -> &Level {
        self.contracts.get(contract).or_else(|| nearest(&self.groups, contract)).unwrap_or(&self.global)
    }
}

/// The innermost of the groups that a contract belongs to.
pub fn nearest<'a, T>(groups: &'a BTreeMap<String, T>, contract: &str) -> Option<&'a T> {
    let of = groups.iter().filter(|(group, _)| is_within(contract, group));
    of.max_by_key(|(group, _)| group.len()).map(|(_, level)| level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_level_wins() {
        let level = |rule: &str| Level { rules: RuleSet::of(&[rule], &[]).unwrap(), against: Against::Last };
        let policy = Policy {
            global: level("WIRE"),
            groups: BTreeMap::from([("bank".into(), level("WIRE_JSON")), ("bank.cards".into(), level("PACKAGE"))]),
            contracts: BTreeMap::from([("bank.cards.v1".into(), level("FILE"))]),
        };
        for (contract, expected) in [
            ("bank.cards.v1", "FILE"),
            ("bank.cards.v2", "PACKAGE"),
            ("bank.cards", "PACKAGE"),
            ("bank.cardsharps", "WIRE_JSON"),
            ("bank", "WIRE_JSON"),
            ("banking.v1", "WIRE"),
        ] {
            assert_eq!(policy.level(contract), &level(expected), "{contract}");
        }
    }
}
