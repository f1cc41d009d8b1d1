//! Redaction of one call: personal values replaced wherever they stand.
//!
//! Two walks: the first gives every value of a personal field another one, the second looks for the originals in all other texts, map keys
//! and bytes of the same call, and puts the same other one there.

use std::collections::BTreeMap;
use std::str::FromStr;

use aho_corasick::{AhoCorasick, MatchKind};
use prost_reflect::{DynamicMessage, Kind, MapKey, Value};

use super::personal::Treatment;
use super::pseudonym::Pseudonyms;
use super::walk::{Visitor, walk};

/// Shorter originals are not looked for elsewhere: they stand everywhere by chance.
const SOUGHT_BYTES: usize = 4;

/// Personal values of one call, and what stands for each.
pub(super) struct Redaction<'a> {
    pseudonyms: &'a Pseudonyms,
    replaced: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<'a> Redaction<'a> {
    pub(super) fn new(pseudonyms: &'a Pseudonyms) -> Self {
        Self { pseudonyms, replaced: BTreeMap::new() }
    }

    /// The first walk. False if nothing of the message may be kept.
    pub(super) fn replace(&mut self, message: &mut DynamicMessage) -> bool {
        walk(message, None, self)
    }

    /// What the second walk is made with, after the first one over all messages of the call.
    pub(super) fn scrub(self) -> Option<Scrub> {
        let (originals, others): (Vec<_>, Vec<_>) = self.replaced.into_iter().unzip();
        let mut finder = AhoCorasick::builder();
        let finder = finder.match_kind(MatchKind::LeftmostLongest).build(&originals).ok()?;
        Some(Scrub { finder, others })
    }

    fn remember(&mut self, original: &[u8], other: &[u8]) {
        if original.len() >= SOUGHT_BYTES && original != other {
            self.replaced.entry(original.to_vec()).or_insert_with(|| other.to_vec());
        }
    }

    fn text(&mut self, text: &str) -> String {
        let other = self.pseudonyms.text(text);
        self.remember(text.as_bytes(), other.as_bytes());
        other
    }

    fn unsigned(&mut self, number: u64, greatest: u64) -> u64 {
        let other = self.pseudonyms.number(number, greatest);
        self.remember(number.to_string().as_bytes(), other.to_string().as_bytes());
        other
    }

    fn signed(&mut self, number: i64, greatest: u64) -> i64 {
        let other = self.unsigned(number.unsigned_abs(), greatest);
        let other = i64::try_from(other).unwrap_or(i64::MAX);
        if number < 0 { -other } else { other }
    }
}

impl Visitor for Redaction<'_> {
    fn value(&mut self, value: &mut Value, kind: &Kind, treatment: Option<Treatment>) {
        if treatment.is_none() {
            return;
        }
        let other = match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Bytes(bytes) => {
                let other = self.pseudonyms.bytes(bytes);
                self.remember(bytes, &other);
                Value::Bytes(other.into())
            }
            Value::I32(number) => Value::I32(self.signed((*number).into(), i32::MAX as u64) as i32),
            Value::I64(number) => Value::I64(self.signed(*number, i64::MAX as u64)),
            Value::U32(number) => Value::U32(self.unsigned((*number).into(), u32::MAX.into()) as u32),
            Value::U64(number) => Value::U64(self.unsigned(*number, u64::MAX)),
            Value::F32(number) => Value::F32(self.pseudonyms.fraction((*number).into()) as f32),
            Value::F64(number) => Value::F64(self.pseudonyms.fraction(*number)),
            // One of so few values is as good as told; and it may be the default by itself.
            Value::Bool(_) | Value::EnumNumber(_) => Value::default_value(kind),
            Value::Message(_) | Value::List(_) | Value::Map(_) => return,
        };
        *value = if treatment == Some(Treatment::Removed) { Value::default_value(kind) } else { other };
    }

    fn key(&mut self, key: &mut MapKey, treatment: Option<Treatment>) {
        if treatment.is_none() {
            return;
        }
        *key = match key {
            MapKey::String(text) => MapKey::String(self.text(text)),
            MapKey::I32(number) => MapKey::I32(self.signed((*number).into(), i32::MAX as u64) as i32),
            MapKey::I64(number) => MapKey::I64(self.signed(*number, i64::MAX as u64)),
            MapKey::U32(number) => MapKey::U32(self.unsigned((*number).into(), u32::MAX.into()) as u32),
            MapKey::U64(number) => MapKey::U64(self.unsigned(*number, u64::MAX)),
            MapKey::Bool(_) => MapKey::Bool(false),
        };
    }

    fn moment(&mut self, seconds: &mut i64, treatment: Treatment) {
        *seconds = if treatment == Treatment::Removed { 0 } else { self.pseudonyms.moment(*seconds) };
    }
}

/// Finds the personal values of a call where nothing declares them.
pub(super) struct Scrub {
    finder: AhoCorasick,
    others: Vec<Vec<u8>>,
}

impl Scrub {
    /// The second walk.
    pub(super) fn clean(&mut self, message: &mut DynamicMessage) -> bool {
        self.finder.patterns_len() == 0 || walk(message, None, self)
    }

    /// The text without personal values.
    pub(super) fn text(&self, text: &str) -> String {
        // A pseudonym of bytes may be no text.
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// Numbers are compared whole: a part of one says nothing.
    fn number<N: ToString + FromStr + Copy>(&self, number: N) -> N {
        let text = number.to_string();
        let found = self.finder.find(&text).filter(|found| found.range() == (0..text.len()));
        let other = found.and_then(|found| std::str::from_utf8(&self.others[found.pattern()]).ok()?.parse().ok());
        other.unwrap_or(number)
    }

    fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.finder.replace_all_bytes(bytes, &self.others)
    }
}

impl Visitor for Scrub {
    fn value(&mut self, value: &mut Value, _: &Kind, treatment: Option<Treatment>) {
        if treatment.is_some() {
            return;
        }
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Bytes(bytes) => *bytes = self.bytes(bytes).into(),
            Value::I32(number) => *number = self.number(*number),
            Value::I64(number) => *number = self.number(*number),
            Value::U32(number) => *number = self.number(*number),
            Value::U64(number) => *number = self.number(*number),
            _ => {}
        }
    }

    fn key(&mut self, key: &mut MapKey, treatment: Option<Treatment>) {
        if let (MapKey::String(text), None) = (key, treatment) {
            *text = self.text(text);
        }
    }

    fn moment(&mut self, _: &mut i64, _: Treatment) {}
}
