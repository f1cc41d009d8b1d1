//! Areas: which of the items that share storage by REDEFINES a message shows.

use super::model::{Area, Test, Values};
use super::view::View;
use super::when::{When, WhenValue};
use crate::LayoutError;
use crate::layout::list;
use crate::syntax::{ConditionValue, Literal};

impl View<'_> {
    /// Decides on the area that begins with `base`.
    pub(super) fn area(&self, base: usize) -> Result<Area, LayoutError> {
        let nodes = &self.placement.nodes;
        let arms: Vec<usize> = std::iter::once(base).chain(nodes[base].overlays.iter().copied()).collect();
        let rule = |pick: fn(&super::FieldRules) -> Option<&str>| {
            arms.iter().filter_map(move |id| Some((*id, self.rules(*id).and_then(pick)?)))
        };
        let tests: Vec<(usize, &str)> = rule(|rules| rules.when.as_deref()).filter(|(id, _)| self.shows(*id)).collect();
        if !tests.is_empty() {
            return self.choice(&tests);
        }
        if let Some((_, name)) = rule(|rules| rules.pick.as_deref()).next() {
            let picked = arms
                .iter()
                .find(|id| nodes[**id].item.name.eq_ignore_ascii_case(name) || nodes[**id].path.eq_ignore_ascii_case(name));
            let names = list(arms.iter().map(|id| nodes[*id].path.as_str()));
            return picked.map(|id| Area::Pick(*id)).ok_or_else(|| {
                LayoutError::new(nodes[base].label(), format!("pick: {name} does not share its storage (there are: {names})"))
            });
        }
        let shown: Vec<usize> = arms.iter().copied().filter(|id| self.shows(*id)).collect();
        match shown[..] {
            [] => Ok(Area::Pick(base)),
            [one] => Ok(Area::Pick(one)),
            _ => {
                let names = list(shown.iter().map(|id| nodes[*id].path.as_str()));
                let advice =
                    format!("{names} share their storage: choose one with `pick:`, several with `when:`, or exclude all but one");
                Err(LayoutError::new(nodes[base].label(), advice))
            }
        }
    }

    fn choice(&self, tests: &[(usize, &str)]) -> Result<Area, LayoutError> {
        let mut arms = Vec::new();
        for (id, text) in tests {
            let node = &self.placement.nodes[*id];
            if node.item.occurs.is_some() {
                return Err(LayoutError::new(node.label(), "a table cannot be a choice by itself: put it into a group"));
            }
            let wrong = |message: String| LayoutError::new(node.label(), format!("when: {message}"));
            let when = When::parse(text).map_err(wrong)?;
            arms.push((*id, self.test(*id, when).map_err(|error| wrong(error.to_string()))?));
        }
        // Whatever order the rules stand in, `otherwise` is tried last.
        arms.sort_by_key(|(_, test)| *test == Test::Otherwise);
        Ok(Area::Choice(arms))
    }

    fn test(&self, arm: usize, when: When) -> Result<Test, LayoutError> {
        let (item, values) = match when {
            When::Otherwise => return Ok(Test::Otherwise),
            When::Is { field, values } => {
                (self.placement.find(&field)?, values.into_iter().map(|value| (literal(value), None)).collect())
            }
            When::Condition(name) => self.condition(&name)?,
        };
        let node = &self.placement.nodes[item];
        if !node.item.is_elementary() {
            return Err(LayoutError::new(node.label(), "a discriminator must be an elementary item"));
        }
        if self.placement.in_another_table(item, arm) {
            return Err(LayoutError::new(node.label(), "a discriminator cannot lie in another table"));
        }
        Ok(Test::Is { item, values })
    }

    /// The item and values of a level 88 entry.
    fn condition(&self, name: &str) -> Result<(usize, Vec<Values>), LayoutError> {
        let mut found = self.placement.nodes.iter().enumerate().flat_map(|(id, node)| {
            node.item.conditions.iter().filter(|condition| condition.name == *name).map(move |condition| (id, condition))
        });
        match (found.next(), found.next()) {
            (Some((id, condition)), None) => Ok((id, condition.values.iter().map(range).collect())),
            (None, _) => Err(LayoutError::new(name, "no level 88 entry has this name")),
            (Some(_), Some(_)) => {
                Err(LayoutError::new(name, "several level 88 entries have this name: compare their item with a value"))
            }
        }
    }
}

fn literal(value: WhenValue) -> Literal {
    match value {
        WhenValue::Text(text) => Literal::Text(text),
        WhenValue::Number(number) => Literal::Number { unscaled: number.into(), scale: 0 },
    }
}

/// A value, or both ends of a range.
fn range(value: &ConditionValue) -> Values {
    match value {
        ConditionValue::One(value) => (value.clone(), None),
        ConditionValue::Range(from, to) => (from.clone(), Some(to.clone())),
    }
}
