//! not, all, any, is.

use crate::evaluate::Evaluation;
use crate::value::{Value, equal};

use super::Given;

pub(super) fn not(_: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(match arguments {
        [Value::Boolean(value)] => Some(Value::Boolean(!value)),
        _ => None,
    })
}

/// The items of a list that is the only argument, or the arguments themselves.
pub(super) fn items(arguments: &[Value]) -> &[Value] {
    match arguments {
        [Value::List(items)] => items,
        other => other,
    }
}

fn decide(evaluation: &mut Evaluation, arguments: &[Value], decisive: bool) -> Given {
    if matches!(arguments, [] | [Value::Null]) {
        return Ok(None);
    }
    let items = items(arguments);
    evaluation.budget.steps(items.len())?;
    if items.iter().any(|item| matches!(item, Value::Boolean(value) if *value == decisive)) {
        return Ok(Some(Value::Boolean(decisive)));
    }
    let known = items.iter().all(|item| matches!(item, Value::Boolean(_)));
    Ok(Some(if known { Value::Boolean(!decisive) } else { Value::Null }))
}

pub(super) fn all(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    decide(evaluation, arguments, false)
}

pub(super) fn any(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    decide(evaluation, arguments, true)
}

/// Unlike `=`: the same moment in two zones is not the same value.
pub(super) fn is(_: &mut Evaluation, arguments: &[Value]) -> Given {
    let [a, b] = arguments else { return Ok(None) };
    let same = match (a, b) {
        (Value::Time(_), Value::Time(_)) | (Value::DateTime(_), Value::DateTime(_)) => a.to_string() == b.to_string(),
        _ => equal(a, b) == Some(true),
    };
    Ok(Some(Value::Boolean(same)))
}
