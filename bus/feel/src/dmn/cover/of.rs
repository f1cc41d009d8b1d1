//! The decision tables of models, as the examination knows them.

use crate::dmn::table::{DecisionTable, HitPolicy, InputClause, Rule};

use super::{InputColumn, Policy, Table, words};

impl From<&DecisionTable> for Table {
    fn from(table: &DecisionTable) -> Self {
        let outputs = table.outputs.iter().map(|output| output.priorities.iter().map(words::literal).collect());
        Self {
            name: table.name.to_string(),
            policy: table.hit_policy.into(),
            inputs: table.inputs.iter().map(InputColumn::from).collect(),
            outputs: outputs.collect(),
            rules: table.rules.iter().map(super::Rule::from).collect(),
        }
    }
}

impl From<HitPolicy> for Policy {
    fn from(policy: HitPolicy) -> Self {
        match policy {
            HitPolicy::Unique => Self::Unique,
            HitPolicy::Any => Self::Any,
            HitPolicy::First => Self::First,
            HitPolicy::Priority => Self::Priority,
            HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(_) => Self::All,
        }
    }
}

impl From<&InputClause> for InputColumn {
    fn from(input: &InputClause) -> Self {
        Self { name: input.label.clone(), type_name: input.type_name.clone(), allowed: input.allowed.clone() }
    }
}

impl From<&Rule> for super::Rule {
    fn from(rule: &Rule) -> Self {
        let id = (!rule.id.is_empty()).then(|| rule.id.clone());
        Self { id, tests: rule.tests.clone(), outputs: rule.outputs.clone() }
    }
}
