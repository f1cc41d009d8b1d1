//! How two ranges, or a range and a point, lie to each other (DMN 1.5, table 78).

use std::cmp::Ordering;

use crate::evaluate::Evaluation;
use crate::value::{Value, compare, equal};

use super::Given;

/// A range, or a point as the range that holds only it.
struct Span<'a> {
    start: &'a Value,
    start_included: bool,
    end: &'a Value,
    end_included: bool,
    point: bool,
}

fn span(value: &Value) -> Option<Span<'_>> {
    Some(match value {
        Value::Range(range) => Span {
            start: &range.start,
            start_included: range.start_included,
            end: &range.end,
            end_included: range.end_included,
            point: false,
        },
        Value::Null => return None,
        point => Span { start: point, start_included: true, end: point, end_included: true, point: true },
    })
}

impl Span<'_> {
    /// Whether this ends before the other begins.
    fn before(&self, other: &Self) -> Option<bool> {
        Some(match compare(self.end, other.start)? {
            Ordering::Less => true,
            Ordering::Equal => !(self.end_included && other.start_included),
            Ordering::Greater => false,
        })
    }

    fn meets(&self, other: &Self) -> Option<bool> {
        Some(self.end_included && other.start_included && equal(self.end, other.start)?)
    }

    /// Which begins first.
    fn starts(&self, other: &Self) -> Option<Ordering> {
        Some(compare(self.start, other.start)?.then(other.start_included.cmp(&self.start_included)))
    }

    /// Which ends first.
    fn ends(&self, other: &Self) -> Option<Ordering> {
        Some(compare(self.end, other.end)?.then(self.end_included.cmp(&other.end_included)))
    }

    fn includes(&self, other: &Self) -> Option<bool> {
        Some(self.starts(other)?.is_le() && self.ends(other)?.is_ge())
    }

    fn overlaps(&self, other: &Self) -> Option<bool> {
        Some(!self.before(other)? && !other.before(self)?)
    }
}

type Relation = fn(&Span<'_>, &Span<'_>) -> Option<bool>;

fn relation(arguments: &[Value], of: Relation) -> Given {
    let [a, b] = arguments else { return Ok(None) };
    Ok(span(a).zip(span(b)).and_then(|(a, b)| of(&a, &b)).map(Value::Boolean))
}

/// As `relation`, but not between points.
fn of_ranges(arguments: &[Value], of: Relation) -> Given {
    if arguments.iter().all(|argument| matches!(argument, Value::Range(_))) { relation(arguments, of) } else { Ok(None) }
}

pub(super) fn before(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| a.before(b))
}

pub(super) fn after(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| b.before(a))
}

pub(super) fn meets(_: &mut Evaluation, arguments: &[Value]) -> Given {
    of_ranges(arguments, |a, b| a.meets(b))
}

pub(super) fn met_by(_: &mut Evaluation, arguments: &[Value]) -> Given {
    of_ranges(arguments, |a, b| b.meets(a))
}

pub(super) fn overlaps(_: &mut Evaluation, arguments: &[Value]) -> Given {
    of_ranges(arguments, |a, b| a.overlaps(b))
}

pub(super) fn overlaps_before(_: &mut Evaluation, arguments: &[Value]) -> Given {
    of_ranges(arguments, |a, b| Some(a.overlaps(b)? && a.starts(b)?.is_lt() && a.ends(b)?.is_le()))
}

pub(super) fn overlaps_after(_: &mut Evaluation, arguments: &[Value]) -> Given {
    of_ranges(arguments, |a, b| Some(a.overlaps(b)? && a.starts(b)?.is_ge() && a.ends(b)?.is_gt()))
}

pub(super) fn finishes(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| Some(!b.point && a.ends(b)?.is_eq() && a.starts(b)?.is_ge()))
}

pub(super) fn finished_by(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| Some(!a.point && a.ends(b)?.is_eq() && a.starts(b)?.is_le()))
}

pub(super) fn includes(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| if a.point { None } else { a.includes(b) })
}

pub(super) fn during(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| if b.point { None } else { b.includes(a) })
}

pub(super) fn starts(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| Some(!b.point && a.starts(b)?.is_eq() && a.ends(b)?.is_le()))
}

pub(super) fn started_by(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| Some(!a.point && a.starts(b)?.is_eq() && a.ends(b)?.is_ge()))
}

pub(super) fn coincides(_: &mut Evaluation, arguments: &[Value]) -> Given {
    relation(arguments, |a, b| Some(a.point == b.point && a.starts(b)?.is_eq() && a.ends(b)?.is_eq()))
}
