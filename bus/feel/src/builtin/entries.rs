//! Functions over contexts.

use std::sync::Arc;

use crate::evaluate::Evaluation;
use crate::value::{Context, Value};

use super::Given;

pub(super) fn get_value(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    if let [Value::Context(context), _] = arguments {
        evaluation.budget.steps(context.iter().len() / 16)?;
    }
    Ok(match arguments {
        [Value::Context(context), Value::Text(key)] => Some(context.get(key).cloned().unwrap_or(Value::Null)),
        [context @ Value::Context(_), Value::List(keys)] if !keys.is_empty() => {
            keys.iter().try_fold(context.clone(), |value, key| match (value, key) {
                (Value::Context(context), Value::Text(key)) => context.get(key).cloned(),
                _ => None,
            })
        }
        _ => None,
    })
}

pub(super) fn get_entries(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [Value::Context(context)] = arguments else { return Ok(None) };
    evaluation.budget.items(context.iter().len())?;
    evaluation.budget.steps(context.iter().len())?;
    evaluation.budget.parts(context.iter().len() * 5)?;
    let entry = |(key, value): &(Arc<str>, Value)| {
        let entry = [(Arc::from("key"), Value::Text(key.clone())), (Arc::from("value"), value.clone())];
        Value::Context(Arc::new(Context::from_iter(entry)))
    };
    Ok(Some(Value::list(context.iter().map(entry).collect())))
}

pub(super) fn context(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let single;
    let entries: &[Value] = match arguments {
        [Value::List(entries)] => entries,
        [entry @ Value::Context(_)] => {
            single = [entry.clone()];
            &single
        }
        _ => return Ok(None),
    };
    let mut made = Context::default();
    for entry in entries {
        evaluation.budget.steps(1 + made.iter().len() / 4)?;
        evaluation.budget.parts(1)?;
        let Value::Context(entry) = entry else { return Ok(None) };
        let (Some(Value::Text(key)), Some(value)) = (entry.get("key"), entry.get("value")) else { return Ok(None) };
        if made.get(key).is_some() {
            return Ok(None);
        }
        made.set(key.clone(), value.clone());
    }
    Ok(Some(Value::Context(Arc::new(made))))
}

pub(super) fn context_put(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [Value::Context(context), key, value] = arguments else { return Ok(None) };
    evaluation.budget.steps(context.iter().len())?;
    evaluation.budget.parts(context.iter().len() + 1)?;
    match key {
        Value::Text(key) => Ok(put(context, &[Value::Text(key.clone())], value)),
        Value::List(keys) if !keys.is_empty() && keys.len() < 64 => Ok(put(context, keys, value)),
        _ => Ok(None),
    }
}

fn put(context: &Context, keys: &[Value], value: &Value) -> Option<Value> {
    let (Value::Text(key), rest) = keys.split_first()? else { return None };
    let value = match (rest, context.get(key)) {
        ([], _) => value.clone(),
        (rest, Some(Value::Context(inner))) => put(inner, rest, value)?,
        (rest, None | Some(Value::Null)) => put(&Context::default(), rest, value)?,
        _ => return None,
    };
    let mut changed = context.clone();
    changed.set(key.clone(), value);
    Some(Value::Context(Arc::new(changed)))
}

pub(super) fn context_merge(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let contexts = super::logic::items(arguments);
    let mut merged = Context::default();
    for context in contexts {
        let Value::Context(context) = context else { return Ok(None) };
        for (key, value) in context.iter() {
            evaluation.budget.steps(1 + merged.iter().len() / 4)?;
            evaluation.budget.parts(1)?;
            merged.set(key.clone(), value.clone());
        }
    }
    Ok((!arguments.is_empty()).then(|| Value::Context(Arc::new(merged))))
}
