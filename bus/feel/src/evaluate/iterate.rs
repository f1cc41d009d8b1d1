//! Loops: for, some and every, over lists and lazily over ranges; each item is looked at once.

use std::sync::Arc;

use crate::limits::Exceeded;
use crate::node::{Iterator, Node};
use crate::number::Number;
use crate::value::{Range, Value};

use super::condition::Truth;
use super::{Evaluation, Frame, Outcome};

/// What a loop runs over.
enum Domain {
    List(Arc<Vec<Value>>),
    Numbers { from: i64, to: i64 },
    Days { from: jiff::civil::Date, to: jiff::civil::Date },
}

impl Domain {
    fn len(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Numbers { from, to } => usize::try_from(from.abs_diff(*to)).unwrap_or(usize::MAX).saturating_add(1),
            Self::Days { from, to } => days(*from, *to).unsigned_abs() as usize + 1,
        }
    }

    fn get(&self, index: usize) -> Value {
        match self {
            Self::List(items) => items[index].clone(),
            Self::Numbers { from, to } => {
                let index = index as i64;
                Value::Number(Number::from(if from <= to { from + index } else { from - index }))
            }
            Self::Days { from, to } => {
                let step = if from <= to { index as i64 } else { -(index as i64) };
                let day = from.checked_add(jiff::SignedDuration::from_secs(step * 86_400));
                day.map_or(Value::Null, Value::Date)
            }
        }
    }
}

fn days(from: jiff::civil::Date, to: jiff::civil::Date) -> i64 {
    to.duration_since(from).as_secs() / 86_400
}

impl Evaluation {
    pub(super) fn iteration(&mut self, iterators: &[Iterator], partial: Option<usize>, body: &Node, frame: Frame<'_>) -> Outcome {
        match partial {
            Some(slot) => self.iteration_seen(iterators, slot, body, frame),
            None => {
                let mut results = Vec::new();
                let whole = self.each(iterators, frame, &mut |evaluation| {
                    let value = evaluation.value(body, frame)?;
                    evaluation.budget.memory(size_of::<Value>())?;
                    evaluation.budget.items(results.len() + 1)?;
                    results.push(value);
                    Ok(true)
                })?;
                if whole { self.made(Value::list(results)) } else { Ok(Value::Null) }
            }
        }
    }

    /// A loop whose body sees, as `partial`, what was returned so far.
    fn iteration_seen(&mut self, iterators: &[Iterator], partial: usize, body: &Node, frame: Frame<'_>) -> Outcome {
        self.set(frame, partial, Value::list(Vec::new()));
        let whole = self.each(iterators, frame, &mut |evaluation| {
            let value = evaluation.value(body, frame)?;
            // What is returned may hold what was returned before.
            evaluation.shallow(&value, super::NESTED)?;
            evaluation.budget.memory(size_of::<Value>())?;
            // The list is alone in its slot, so that it grows in place.
            let Value::List(mut list) = evaluation.take(frame, partial) else { return Ok(false) };
            evaluation.budget.items(list.len() + 1)?;
            if Arc::get_mut(&mut list).is_none() {
                // The copy counts its items once more, and lets go of each: letting go takes as long as making.
                evaluation.budget.memory(list.len() * 3 * size_of::<Value>())?;
            }
            Arc::make_mut(&mut list).push(value);
            evaluation.set(frame, partial, Value::List(list));
            Ok(true)
        })?;
        if !whole {
            return Ok(Value::Null);
        }
        let list = self.slot(frame, partial).clone();
        self.made(list)
    }

    pub(super) fn quantified(&mut self, every: bool, iterators: &[Iterator], body: &Node, frame: Frame<'_>) -> Truth {
        let (mut decided, mut unknown) = (false, false);
        let whole = self.each(iterators, frame, &mut |evaluation| {
            match evaluation.truth(body, frame)? {
                Some(held) => decided |= held != every,
                None => unknown = true,
            }
            Ok(!decided)
        })?;
        Ok(if decided {
            Some(!every)
        } else if unknown || !whole {
            None
        } else {
            Some(every)
        })
    }

    /// Runs the body for every combination, until it says no. False: it was ended, or a domain is none.
    fn each(
        &mut self,
        iterators: &[Iterator],
        frame: Frame<'_>,
        body: &mut dyn FnMut(&mut Self) -> Result<bool, Exceeded>,
    ) -> Result<bool, Exceeded> {
        let Some((first, rest)) = iterators.split_first() else { return body(self) };
        let Some(domain) = self.domain(first, frame)? else { return Ok(false) };
        self.budget.deeper()?;
        for index in 0..domain.len() {
            self.budget.step()?;
            self.set(frame, first.slot, domain.get(index));
            if !self.each(rest, frame, body)? {
                self.budget.shallower();
                return Ok(false);
            }
        }
        self.budget.shallower();
        Ok(true)
    }

    fn domain(&mut self, iterator: &Iterator, frame: Frame<'_>) -> Result<Option<Domain>, Exceeded> {
        let from = self.value(&iterator.domain, frame)?;
        if let Some(to) = &iterator.to {
            let to = self.value(to, frame)?;
            return Ok(self.span(&Range {
                start: from,
                start_included: true,
                end: to,
                end_included: true,
                outside: false,
                compared: false,
            }));
        }
        Ok(match from {
            Value::List(items) => Some(Domain::List(items)),
            Value::Range(range) => self.span(&range),
            Value::Null => {
                self.null(|| "a loop runs over a list or a range, not over null".to_owned());
                None
            }
            single => Some(Domain::List(Arc::new(vec![single]))),
        })
    }

    fn span(&mut self, range: &Range) -> Option<Domain> {
        let shift = |up: bool, included: bool| {
            if included {
                0
            } else if up {
                1
            } else {
                -1
            }
        };
        match (&range.start, &range.end) {
            (Value::Number(from), Value::Number(to)) => {
                let (Some(from), Some(to)) = (from.integer(), to.integer()) else {
                    self.null(|| "a loop runs over whole numbers".to_owned());
                    return None;
                };
                let (from, to) = (
                    from.checked_add(shift(from <= to, range.start_included))?,
                    to.checked_add(shift(from > to, range.end_included))?,
                );
                Some(if range.start_included && range.end_included || from <= to {
                    Domain::Numbers { from, to }
                } else {
                    Domain::List(Arc::default())
                })
            }
            (Value::Date(from), Value::Date(to)) => Some(Domain::Days { from: *from, to: *to }),
            _ => {
                self.null(|| "a loop runs over a range of whole numbers or of dates".to_owned());
                None
            }
        }
    }
}
