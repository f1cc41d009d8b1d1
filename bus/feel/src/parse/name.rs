//! Names: the longest one that the scope knows, or else a single word.

use std::sync::Arc;

use crate::builtin::{self, Builtin};
use crate::node::Node;

use super::{NAME_WORK, Parsed, Parser, frame};

/// Words that no name begins with, unless the scope knows it.
const RESERVED: [&str; 19] = [
    "if",
    "then",
    "else",
    "for",
    "return",
    "some",
    "every",
    "satisfies",
    "in",
    "and",
    "or",
    "between",
    "instance",
    "function",
    "true",
    "false",
    "null",
    "of",
    "external",
];

/// Properties of FEEL's own values that hold spaces.
const PROPERTIES: [&str; 3] = ["time offset", "start included", "end included"];

pub(super) fn begins(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '?') || (c as u32 > 0x7f && !c.is_whitespace() && !c.is_numeric() && c != '\u{feff}')
}

pub(super) fn continues(c: char) -> bool {
    begins(c) || c.is_numeric()
}

/// What a name stands for.
pub(super) enum Named {
    Node(Node),
    Builtin(&'static Builtin),
}

impl Parser<'_> {
    /// The longest of these names that stands at this place, and where it ends.
    fn known(
        &mut self,
        candidates: impl for<'b> Fn(&'b Self) -> Vec<&'b [(Arc<str>, usize)]>,
    ) -> Parsed<Option<(Arc<str>, usize)>> {
        let rest = self.rest();
        let (mut longest, mut looked_at): (Option<(&Arc<str>, usize)>, usize) = (None, 0);
        for (name, _) in candidates(self).into_iter().flatten() {
            looked_at += 1;
            let length = matches(rest, name);
            if length > longest.map(|(_, length)| length) {
                longest = length.map(|length| (name, length));
            }
        }
        let longest = longest.map(|(name, length)| (name.clone(), length));
        self.worked(NAME_WORK / 2 + looked_at / 8)?;
        Ok(longest)
    }

    fn known_entry(&mut self) -> Parsed<Option<(Arc<str>, usize)>> {
        self.known(|parser| vec![parser.entries.candidates(parser.rest())])
    }

    fn single(&self) -> Option<(Arc<str>, usize)> {
        let rest = self.rest();
        rest.starts_with(begins).then(|| {
            let length = rest.find(|c: char| !continues(c)).unwrap_or(rest.len());
            (rest[..length].into(), length)
        })
    }

    /// A name that is defined here (a variable, a parameter): as far as it goes.
    pub(super) fn defined(&mut self, stop: &[&str]) -> Parsed<Arc<str>> {
        self.worked(NAME_WORK)?;
        self.space();
        let mut words: Vec<&str> = Vec::new();
        loop {
            self.space();
            let rest = self.rest();
            let length = rest
                .find(|c: char| {
                    !(continues(c) || (!words.is_empty() || c != '-') && matches!(c, '\'' | '-' | '+' | '/' | '*' | '.'))
                })
                .unwrap_or(rest.len());
            let word = &rest[..length];
            if word.is_empty() || stop.contains(&word) {
                break;
            }
            words.push(word);
            self.at += length;
        }
        if words.is_empty() { Err(self.wrong("expected a name")) } else { Ok(words.join(" ").into()) }
    }

    /// The name of an entry, behind a point.
    pub(super) fn entry(&mut self) -> Parsed<Arc<str>> {
        self.space();
        let single = self.single();
        let known = self.known_entry()?;
        let property = PROPERTIES.iter().filter_map(|name| Some(((*name).into(), matches(self.rest(), name)?)));
        let name = property.chain(known).chain(single).max_by_key(|(_, length)| *length);
        let (name, length) = name.ok_or_else(|| self.wrong("expected a name"))?;
        self.at += length;
        Ok(name)
    }

    /// Remembers the name of an entry that one word alone would not tell.
    pub(super) fn remember(&mut self, name: &Arc<str>) {
        if !name.chars().all(continues) && self.entry_names.insert(name.clone()) {
            self.entries.add(name, 0);
        }
    }

    /// A name that is used: a variable, an entry of a filter's item, or a built-in function.
    pub(super) fn used(&mut self) -> Parsed<Named> {
        let single = self.single().filter(|(name, _)| !RESERVED.contains(&&**name));
        let entries = self.known_entry()?;
        let variable = self.known(|parser| parser.frames.iter().map(|frame| frame.candidates(parser.rest())).collect())?;
        let first = self.rest().bytes().next();
        let functions = builtin::ALL.iter().filter(|known| known.name.bytes().next() == first);
        let function = functions.filter_map(|known| Some((known, matches(self.rest(), known.name)?)));
        let function = function.max_by_key(|(_, length)| *length);
        let length =
            [single.as_ref(), entries.as_ref(), variable.as_ref()].into_iter().flatten().map(|(_, length)| *length).max();
        let length = length.max(function.map(|(_, length)| length)).ok_or_else(|| self.wrong("expected a value"))?;
        let of_length =
            |found: &Option<(Arc<str>, usize)>| found.as_ref().filter(|(_, l)| *l == length).map(|(name, _)| name.clone());
        let name = of_length(&variable).or_else(|| of_length(&entries)).or_else(|| of_length(&single));
        let function = function.filter(|(_, l)| *l == length).map(|(function, _)| function);
        let name = name.unwrap_or_else(|| function.map_or("", |function| function.name).into());
        self.at += length;
        if &*name == "?" {
            self.input_used = true;
        }
        let found = frame::resolve(&mut self.frames, &name);
        if found.items.is_empty()
            && found.slot.is_none()
            && let Some(function) = function
        {
            return Ok(Named::Builtin(function));
        }
        let last = match (found.slot, function) {
            (Some(slot), _) => Node::Slot(slot),
            (None, Some(function)) => return Ok(Named::Builtin(function)),
            (None, None) => {
                if found.items.is_empty() && self.unknown_names.insert(name.clone()) {
                    self.unknown.push(name.clone());
                }
                Node::Unknown(name.clone())
            }
        };
        Ok(Named::Node(found.items.into_iter().rev().fold(last, |otherwise, item| Node::Entry {
            item,
            name: name.clone(),
            otherwise: Box::new(otherwise),
        })))
    }
}

/// How many bytes of the text are this name, with any white space where it has a space.
fn matches(text: &str, name: &str) -> Option<usize> {
    let mut rest = text;
    for (index, word) in name.split(' ').enumerate() {
        if index > 0 {
            let trimmed = rest.trim_start();
            if trimmed.len() == rest.len() {
                return None;
            }
            rest = trimmed;
        }
        rest = rest.strip_prefix(word)?;
    }
    let end = name.chars().next_back().is_some_and(continues) && rest.starts_with(continues);
    (!name.is_empty() && !end).then_some(text.len() - rest.len())
}
