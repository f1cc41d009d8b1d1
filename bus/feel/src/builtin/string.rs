//! Functions over strings; positions count characters from 1.

use std::fmt::Write as _;

use crate::evaluate::Evaluation;
use crate::number::Number;
use crate::text::Bounded;
use crate::value::Value;

use super::Given;

pub(super) fn string(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(match arguments {
        [Value::Null] => Some(Value::Null),
        [value] => {
            evaluation.budget.weigh(value)?;
            let most = evaluation.budget.limits.text_bytes;
            let mut written = Bounded { text: String::new(), most };
            let length = if write!(written, "{value}").is_ok() { written.text.len() } else { most + 1 };
            evaluation.budget.text(length)?;
            Some(Value::text(written.text))
        }
        _ => None,
    })
}

pub(super) fn substring(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let (text, start, length) = match arguments {
        [Value::Text(text), Value::Number(start)] | [Value::Text(text), Value::Number(start), Value::Null] => (text, start, None),
        [Value::Text(text), Value::Number(start), Value::Number(length)] => (text, start, Some(length)),
        _ => return Ok(None),
    };
    evaluation.budget.text(text.len())?;
    let count = text.chars().count();
    let skip = match start.truncated() {
        Some(start) if start > 0 => usize::try_from(start - 1).ok(),
        Some(start) if start < 0 => usize::try_from(start.unsigned_abs()).ok().and_then(|back| count.checked_sub(back)),
        _ => None,
    };
    let (Some(skip), Some(take)) = (skip, length.map_or(Some(i64::MAX), |length| length.truncated())) else { return Ok(None) };
    let Ok(take) = usize::try_from(take) else { return Ok(None) };
    if take == 0 || skip >= count {
        return Ok(if length.is_some() { None } else { Some(Value::text("")) });
    }
    Ok(Some(Value::text(text.chars().skip(skip).take(take).collect::<String>())))
}

pub(super) fn length(_: &mut Evaluation, arguments: &[Value]) -> Given {
    let [Value::Text(text)] = arguments else { return Ok(None) };
    Ok(Some(Value::Number(Number::from(text.chars().count()))))
}

pub(super) fn upper(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [Value::Text(text)] = arguments else { return Ok(None) };
    evaluation.budget.text(text.len())?;
    Ok(Some(Value::text(text.to_uppercase())))
}

pub(super) fn lower(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [Value::Text(text)] = arguments else { return Ok(None) };
    evaluation.budget.text(text.len())?;
    Ok(Some(Value::text(text.to_lowercase())))
}

/// A function of two strings.
fn two(evaluation: &mut Evaluation, arguments: &[Value], of: fn(&str, &str) -> Value) -> Given {
    let [Value::Text(text), Value::Text(other)] = arguments else { return Ok(None) };
    evaluation.budget.text(text.len())?;
    Ok(Some(of(text, other)))
}

pub(super) fn before(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    two(evaluation, arguments, |text, other| Value::text(text.split_once(other).map_or("", |(before, _)| before)))
}

pub(super) fn after(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    two(evaluation, arguments, |text, other| Value::text(text.split_once(other).map_or("", |(_, after)| after)))
}

pub(super) fn contains(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    two(evaluation, arguments, |text, other| Value::Boolean(text.contains(other)))
}

pub(super) fn starts(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    two(evaluation, arguments, |text, other| Value::Boolean(text.starts_with(other)))
}

pub(super) fn ends(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    two(evaluation, arguments, |text, other| Value::Boolean(text.ends_with(other)))
}

pub(super) fn join(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let (list, delimiter) = match arguments {
        [list] | [list, Value::Null] => (list, ""),
        [list, Value::Text(delimiter)] => (list, &**delimiter),
        _ => return Ok(None),
    };
    let items = match list {
        Value::List(items) => &**items,
        Value::Text(_) => std::slice::from_ref(list),
        _ => return Ok(None),
    };
    evaluation.budget.steps(items.len())?;
    let mut joined = String::new();
    for (index, item) in items.iter().filter(|item| !item.is_null()).enumerate() {
        let Value::Text(text) = item else { return Ok(None) };
        if joined.len() + delimiter.len() + text.len() > evaluation.budget.limits.text_bytes {
            evaluation.budget.text(joined.len() + delimiter.len() + text.len())?;
        }
        joined.push_str(if index == 0 { "" } else { delimiter });
        joined.push_str(text);
    }
    evaluation.budget.text(joined.len())?;
    Ok(Some(Value::text(joined)))
}
