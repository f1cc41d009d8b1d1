//! Sums, products and their like over numbers, texts, dates and durations.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::node::{Arithmetic, Node};
use crate::number::{Number, Rounding};
use crate::temporal::{self, DateTime};
use crate::value::Value;

use super::{Evaluation, Frame, Outcome};

const NANOS: i64 = 1_000_000_000;

impl Evaluation {
    pub(super) fn negation(&mut self, operand: &Node, frame: Frame<'_>) -> Outcome {
        Ok(match self.value(operand, frame)? {
            Value::Number(number) => Value::Number(number.negated()),
            Value::Months(months) if months != i64::MIN => Value::Months(-months),
            Value::Duration(duration) if duration.checked_neg().is_some() => Value::Duration(-duration),
            other => self.null(|| format!("{} has no negative", other.type_name())),
        })
    }

    pub(super) fn calculation(&mut self, operator: Arithmetic, left: &Node, right: &Node, frame: Frame<'_>) -> Outcome {
        if let (Some(Value::Number(left)), Some(Value::Number(right))) = (self.lent(left, frame), self.lent(right, frame))
            && let Some(result) = of_numbers(operator, *left, *right)
        {
            return Ok(Value::Number(result));
        }
        let (left, right) = (self.value(left, frame)?, self.value(right, frame)?);
        self.arithmetic(operator, &left, &right)
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: &Value, right: &Value) -> Outcome {
        if let (Arithmetic::Add, Value::Text(a), Value::Text(b)) = (operator, left, right) {
            self.budget.text(a.len() + b.len())?;
            return Ok(Value::text([&**a, &**b].concat()));
        }
        if let (Value::Number(left), Value::Number(right)) = (left, right)
            && let Some(result) = of_numbers(operator, *left, *right)
        {
            return Ok(Value::Number(result));
        }
        let result = match operator {
            Arithmetic::Add => sum(left, right),
            Arithmetic::Subtract => difference(left, right),
            Arithmetic::Multiply => product(left, right),
            Arithmetic::Divide => quotient(left, right),
            Arithmetic::Power => None,
        };
        Ok(result.unwrap_or_else(|| {
            self.null(|| format!("no result for {} {operator:?} {}", left.type_name(), right.type_name()).to_lowercase())
        }))
    }
}

fn of_numbers(operator: Arithmetic, left: Number, right: Number) -> Option<Number> {
    match operator {
        Arithmetic::Add => left.plus(right),
        Arithmetic::Subtract => left.minus(right),
        Arithmetic::Multiply => left.times(right),
        Arithmetic::Divide => left.divided_by(right),
        Arithmetic::Power => left.power(right),
    }
}

fn sum(left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Months(a), Value::Months(b)) => a.checked_add(*b).map(Value::Months),
        (Value::Duration(a), Value::Duration(b)) => a.checked_add(*b).map(Value::Duration),
        (Value::Date(date), Value::Months(months)) | (Value::Months(months), Value::Date(date)) => {
            temporal::plus_months(*date, *months).map(Value::Date)
        }
        (Value::Date(date), Value::Duration(duration)) | (Value::Duration(duration), Value::Date(date)) => {
            DateTime::midnight(*date).plus(*duration).map(|moment| Value::Date(moment.civil.date()))
        }
        (Value::DateTime(moment), Value::Months(months)) | (Value::Months(months), Value::DateTime(moment)) => {
            moment.plus_months(*months).map(|moment| Value::DateTime(Arc::new(moment)))
        }
        (Value::DateTime(moment), Value::Duration(duration)) | (Value::Duration(duration), Value::DateTime(moment)) => {
            moment.plus(*duration).map(|moment| Value::DateTime(Arc::new(moment)))
        }
        (Value::Time(time), Value::Duration(duration)) | (Value::Duration(duration), Value::Time(time)) => {
            Some(Value::Time(Arc::new(time.plus(*duration))))
        }
        _ => None,
    }
}

fn difference(left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Date(a), Value::Date(b)) => DateTime::midnight(*a).since(&DateTime::midnight(*b)).map(Value::Duration),
        (Value::DateTime(a), Value::DateTime(b)) => a.since(b).map(Value::Duration),
        (Value::Date(a), Value::DateTime(b)) => DateTime::midnight(*a).since(b).map(Value::Duration),
        (Value::DateTime(a), Value::Date(b)) => a.since(&DateTime::midnight(*b)).map(Value::Duration),
        (Value::Time(a), Value::Time(b)) => a.since(b).map(Value::Duration),
        (Value::Months(_) | Value::Duration(_), Value::Date(_) | Value::DateTime(_) | Value::Time(_)) => None,
        (left, Value::Months(months)) => sum(left, &Value::Months(months.checked_neg()?)),
        (left, Value::Duration(duration)) => sum(left, &Value::Duration(duration.checked_neg()?)),
        _ => None,
    }
}

/// A duration as nanoseconds, and back.
fn nanos(duration: SignedDuration) -> Option<Number> {
    Number::scaled(duration.as_nanos(), -9)
}

fn duration(seconds: Number) -> Option<Value> {
    let whole = seconds.rounded(0, Rounding::Down)?;
    let nanos = seconds.minus(whole)?.times(Number::from(NANOS))?.truncated()?;
    Some(Value::Duration(SignedDuration::new(whole.truncated()?, i32::try_from(nanos).ok()?)))
}

fn product(left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Months(months), Value::Number(number)) | (Value::Number(number), Value::Months(months)) => {
            number.times(Number::from(*months))?.truncated().map(Value::Months)
        }
        (Value::Duration(of), Value::Number(number)) | (Value::Number(number), Value::Duration(of)) => {
            duration(nanos(*of)?.times(*number)?)
        }
        _ => None,
    }
}

fn quotient(left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Months(a), Value::Months(b)) => Number::from(*a).divided_by(Number::from(*b)).map(Value::Number),
        (Value::Duration(a), Value::Duration(b)) => nanos(*a)?.divided_by(nanos(*b)?).map(Value::Number),
        (Value::Months(a), Value::Number(b)) => Number::from(*a).divided_by(*b)?.truncated().map(Value::Months),
        (Value::Duration(a), Value::Number(b)) => duration(nanos(*a)?.divided_by(*b)?),
        _ => None,
    }
}
