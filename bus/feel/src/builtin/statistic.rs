//! Functions that make one value of a list: count, min, sum, mean and their like.

use std::cmp::Ordering;

use jiff::SignedDuration;

use crate::evaluate::Evaluation;
use crate::number::Number;
use crate::value::{Value, compare};

use super::Given;
use super::logic::items;

pub(super) fn count(_: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(match arguments {
        [Value::List(items)] => Some(Value::Number(Number::from(items.len()))),
        [Value::Null] | [] => None,
        other => Some(Value::Number(Number::from(other.len()))),
    })
}

fn extreme(evaluation: &mut Evaluation, arguments: &[Value], wanted: Ordering) -> Given {
    let items = items(arguments);
    evaluation.budget.steps(items.len())?;
    for item in items.iter().filter(|item| !item.is_short()) {
        evaluation.budget.weigh(item)?;
    }
    let Some((first, rest)) = items.split_first() else { return Ok(None) };
    let mut best = first;
    if compare(first, first).is_none() {
        return Ok(None);
    }
    for item in rest {
        match compare(item, best) {
            Some(order) if order == wanted => best = item,
            Some(_) => {}
            None => return Ok(None),
        }
    }
    Ok(Some(best.clone()))
}

pub(super) fn min(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    extreme(evaluation, arguments, Ordering::Less)
}

pub(super) fn max(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    extreme(evaluation, arguments, Ordering::Greater)
}

/// The numbers of a list that holds nothing else, and at least one.
fn numbers(evaluation: &mut Evaluation, arguments: &[Value]) -> Result<Option<Vec<Number>>, crate::Exceeded> {
    let items = items(arguments);
    evaluation.budget.steps(items.len())?;
    evaluation.budget.memory(size_of_val(items))?;
    let numbers = items.iter().map(|item| if let Value::Number(number) = item { Some(*number) } else { None });
    Ok(numbers.collect::<Option<Vec<_>>>().filter(|numbers| !numbers.is_empty()))
}

fn total(numbers: &[Number]) -> Option<Number> {
    numbers.iter().try_fold(Number::ZERO, |sum, number| sum.plus(*number))
}

pub(super) fn sum(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let durations = items(arguments);
    if let [Value::Duration(_), ..] = durations {
        evaluation.budget.steps(durations.len())?;
        let total = durations.iter().try_fold(SignedDuration::ZERO, |sum, item| match item {
            Value::Duration(duration) => sum.checked_add(*duration),
            _ => None,
        });
        return Ok(total.map(Value::Duration));
    }
    if let [Value::Months(_), ..] = durations {
        evaluation.budget.steps(durations.len())?;
        let total = durations.iter().try_fold(0_i64, |sum, item| match item {
            Value::Months(months) => sum.checked_add(*months),
            _ => None,
        });
        return Ok(total.map(Value::Months));
    }
    Ok(numbers(evaluation, arguments)?.and_then(|numbers| total(&numbers)).map(Value::Number))
}

fn average(numbers: &[Number]) -> Option<Number> {
    total(numbers)?.divided_by(Number::from(numbers.len()))
}

pub(super) fn mean(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(numbers(evaluation, arguments)?.and_then(|numbers| average(&numbers)).map(Value::Number))
}

pub(super) fn median(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let Some(mut numbers) = numbers(evaluation, arguments)? else { return Ok(None) };
    evaluation.budget.steps(numbers.len() * 8)?;
    numbers.sort_unstable();
    let middle = numbers.len() / 2;
    let median = if numbers.len() % 2 == 1 { Some(numbers[middle]) } else { average(&numbers[middle - 1..=middle]) };
    Ok(median.map(Value::Number))
}

pub(super) fn stddev(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let Some(numbers) = numbers(evaluation, arguments)?.filter(|numbers| numbers.len() > 1) else { return Ok(None) };
    evaluation.budget.steps(numbers.len() * 2)?;
    let Some(mean) = average(&numbers) else { return Ok(None) };
    let squares: Option<Vec<Number>> = numbers.iter().map(|n| n.minus(mean).and_then(|d| d.times(d))).collect();
    let variance = squares.and_then(|squares| total(&squares)?.divided_by(Number::from(numbers.len() - 1)));
    Ok(variance.and_then(Number::square_root).map(Value::Number))
}

pub(super) fn mode(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    if let [Value::List(items)] = arguments
        && items.is_empty()
    {
        return Ok(Some(Value::list(Vec::new())));
    }
    let Some(mut numbers) = numbers(evaluation, arguments)? else { return Ok(None) };
    evaluation.budget.steps(numbers.len() * 8)?;
    numbers.sort_unstable();
    let runs: Vec<&[Number]> = numbers.chunk_by(|a, b| a == b).collect();
    let longest = runs.iter().map(|run| run.len()).max().unwrap_or(0);
    Ok(Some(Value::list(runs.iter().filter(|run| run.len() == longest).map(|run| Value::Number(run[0])).collect())))
}

pub(super) fn product(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let numbers = numbers(evaluation, arguments)?;
    let product = numbers.and_then(|numbers| numbers.iter().try_fold(Number::ONE, |product, number| product.times(*number)));
    Ok(product.map(Value::Number))
}
