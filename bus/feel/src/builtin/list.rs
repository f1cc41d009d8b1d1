//! Functions over lists; positions count from 1, or from the end where negative.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::evaluate::Evaluation;
use crate::limits::Exceeded;
use crate::number::Number;
use crate::value::{Value, equal};

use super::Given;

/// A list as it is; one value as a list of one.
fn as_list(value: &Value) -> Option<Arc<Vec<Value>>> {
    match value {
        Value::List(items) => Some(items.clone()),
        Value::Null => None,
        single => Some(Arc::new(vec![single.clone()])),
    }
}

/// A new list: it is within the limits.
fn made(evaluation: &mut Evaluation, items: Vec<Value>) -> Given {
    evaluation.budget.items(items.len())?;
    taken(evaluation, items.len())?;
    Ok(Some(Value::list(items)))
}

fn taken(evaluation: &mut Evaluation, count: usize) -> Result<(), Exceeded> {
    evaluation.budget.steps(count / 4)?;
    evaluation.budget.parts(count)
}

fn place(position: &Value, len: usize) -> Option<usize> {
    let Value::Number(position) = position else { return None };
    let position = position.integer()?;
    let magnitude = usize::try_from(position.unsigned_abs()).ok()?;
    if position > 0 {
        Some(magnitude - 1)
    } else if position < 0 {
        len.checked_sub(magnitude)
    } else {
        None
    }
}

pub(super) fn list_contains(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [list, element] = arguments else { return Ok(None) };
    let Some(items) = as_list(list) else { return Ok(None) };
    evaluation.budget.steps(items.len())?;
    evaluation.budget.weigh_times(element, items.len())?;
    Ok(Some(Value::Boolean(items.iter().any(|item| equal(item, element) == Some(true)))))
}

pub(super) fn sublist(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let (list, start, length) = match arguments {
        [list, start] => (list, start, None),
        [list, start, Value::Number(length)] => (list, start, Some(length)),
        _ => return Ok(None),
    };
    let Some(items) = as_list(list) else { return Ok(None) };
    let Some(skip) = place(start, items.len()).filter(|skip| *skip < items.len()) else { return Ok(None) };
    let end = match length.map(|length| length.integer().and_then(|length| usize::try_from(length).ok())) {
        None => Some(items.len()),
        Some(length) => length.and_then(|length| skip.checked_add(length)),
    };
    match end.filter(|end| *end <= items.len()) {
        Some(end) => made(evaluation, items[skip..end].to_vec()),
        None => Ok(None),
    }
}

pub(super) fn append(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let Some((list, more)) = arguments.split_first() else { return Ok(None) };
    let Some(items) = as_list(list).filter(|_| !more.is_empty()) else { return Ok(None) };
    made(evaluation, items.iter().chain(more).cloned().collect())
}

pub(super) fn concatenate(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    if arguments.is_empty() {
        return Ok(None);
    }
    let mut joined = Vec::new();
    for argument in arguments {
        let Some(items) = as_list(argument) else { return Ok(None) };
        evaluation.budget.items(joined.len() + items.len())?;
        joined.extend(items.iter().cloned());
    }
    made(evaluation, joined)
}

pub(super) fn insert_before(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [list, position, item] = arguments else { return Ok(None) };
    let Some(items) = as_list(list) else { return Ok(None) };
    let Some(at) = place(position, items.len()).filter(|at| *at < items.len().max(1)) else { return Ok(None) };
    let mut items = items.to_vec();
    items.insert(at, item.clone());
    made(evaluation, items)
}

pub(super) fn remove(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [list, position] = arguments else { return Ok(None) };
    let Some(items) = as_list(list) else { return Ok(None) };
    let Some(at) = place(position, items.len()).filter(|at| *at < items.len()) else { return Ok(None) };
    let mut items = items.to_vec();
    items.remove(at);
    made(evaluation, items)
}

pub(super) fn list_replace(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [list, which, new] = arguments else { return Ok(None) };
    let Some(items) = as_list(list) else { return Ok(None) };
    let mut items = items.to_vec();
    if let Value::Function(_) = which {
        for item in &mut items {
            match evaluation.call(which, vec![item.clone(), new.clone()])? {
                Value::Boolean(true) => *item = new.clone(),
                Value::Boolean(false) => {}
                _ => return Ok(None),
            }
        }
        return made(evaluation, items);
    }
    let Some(item) = place(which, items.len()).and_then(|at| items.get_mut(at)) else { return Ok(None) };
    *item = new.clone();
    made(evaluation, items)
}

pub(super) fn reverse(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [list] = arguments else { return Ok(None) };
    let Some(items) = as_list(list) else { return Ok(None) };
    made(evaluation, items.iter().rev().cloned().collect())
}

pub(super) fn index_of(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [list, wanted] = arguments else { return Ok(None) };
    let Some(items) = as_list(list) else { return Ok(None) };
    evaluation.budget.steps(items.len())?;
    evaluation.budget.weigh_times(wanted, items.len())?;
    let found = items.iter().enumerate().filter(|(_, item)| equal(item, wanted) == Some(true));
    let found = found.map(|(index, _)| Value::Number(Number::from(index + 1))).collect();
    made(evaluation, found)
}

pub(super) fn union(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    match concatenate(evaluation, arguments)? {
        Some(joined) => distinct_values(evaluation, &[joined]),
        None => Ok(None),
    }
}

pub(super) fn distinct_values(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [list] = arguments else { return Ok(None) };
    let Some(items) = as_list(list) else { return Ok(None) };
    let mut kept: Vec<Value> = Vec::new();
    for item in items.iter() {
        evaluation.budget.steps(1 + kept.len() / 4)?;
        evaluation.budget.weigh_times(item, kept.len())?;
        if !kept.iter().any(|other| equal(other, item) == Some(true)) {
            kept.push(item.clone());
        }
    }
    made(evaluation, kept)
}

pub(super) fn flatten(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [list] = arguments else { return Ok(None) };
    let Some(items) = as_list(list) else { return Ok(None) };
    let mut flat = Vec::new();
    let mut waiting: Vec<Value> = items.iter().rev().cloned().collect();
    while let Some(next) = waiting.pop() {
        evaluation.budget.step()?;
        match next {
            Value::List(inner) => waiting.extend(inner.iter().rev().cloned()),
            item => flat.push(item),
        }
        evaluation.budget.items(flat.len() + waiting.len())?;
    }
    made(evaluation, flat)
}

pub(super) fn sort(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let (list, precedes) = match arguments {
        [list] => (list, None),
        [list, precedes @ Value::Function(_)] | [precedes @ Value::Function(_), list] => (list, Some(precedes)),
        _ => return Ok(None),
    };
    let Some(items) = as_list(list) else { return Ok(None) };
    let mut items = items.to_vec();
    taken(evaluation, items.len())?;
    if precedes.is_none() {
        let looks = items.len().checked_ilog2().unwrap_or(0) as usize + 1;
        for item in items.iter().filter(|item| !item.is_short()) {
            evaluation.budget.weigh_times(item, looks)?;
        }
    }
    let (mut odd, mut compared) = (false, 0_usize);
    // Stable, O(n log n); a function that contradicts itself gives some order, never a panic: merges are ours.
    let mut before = |a: &Value, b: &Value| -> Result<bool, Exceeded> {
        let Some(precedes) = precedes else {
            compared += 1;
            if compared.is_multiple_of(COMPARED_AT_ONCE) {
                evaluation.budget.steps(COMPARED_AT_ONCE / 4)?;
            }
            let order = crate::value::compare(a, b);
            odd |= order.is_none();
            return Ok(order == Some(Ordering::Less));
        };
        let held = evaluation.call(precedes, vec![a.clone(), b.clone()])?;
        odd |= !matches!(held, Value::Boolean(_));
        Ok(matches!(held, Value::Boolean(true)))
    };
    merge_sort(&mut items, &mut before)?;
    if odd { Ok(None) } else { made(evaluation, items) }
}

/// Comparisons that are paid for at once.
const COMPARED_AT_ONCE: usize = 1024;

fn merge_sort(items: &mut [Value], before: &mut dyn FnMut(&Value, &Value) -> Result<bool, Exceeded>) -> Result<(), Exceeded> {
    let middle = items.len() / 2;
    if middle == 0 {
        return Ok(());
    }
    merge_sort(&mut items[..middle], before)?;
    merge_sort(&mut items[middle..], before)?;
    let mut merged = Vec::with_capacity(items.len());
    let (mut left, mut right) = (items[..middle].iter().peekable(), items[middle..].iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if before(b, a)? { right.next() } else { left.next() };
        merged.extend(next.cloned());
    }
    merged.extend(left.chain(right).cloned());
    items.clone_from_slice(&merged);
    Ok(())
}
