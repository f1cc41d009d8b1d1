//! Amounts, decimals and intervals.

use std::sync::Arc;

use passerelle_feel::{Context, Number, Range, Rounding, Value};
use prost_reflect::{DynamicMessage, MessageDescriptor, Value as Field};

use super::super::error::{PayloadError, Rule};
use super::super::{read as reading, scalar, write as writing};
use super::{build, text, whole};

const NANOS: i128 = 1_000_000_000;

/// `google.type.Money`: units and billionths are one number, as people compute with it.
pub(super) fn money(message: &DynamicMessage) -> Result<Value, PayloadError> {
    let (units, nanos) = (i128::from(whole(message, "units")), i128::from(whole(message, "nanos")));
    if nanos.abs() >= NANOS || units.signum() * nanos.signum() < 0 {
        return Err(PayloadError::from(Rule::Unfit("nanos of a Money are below 1,000,000,000, with the sign of its units"))
            .within("nanos"));
    }
    let amount = Number::scaled(units * NANOS + nanos, -9).map_or(Value::Null, Value::Number);
    let entries = [("currency_code", Value::text(text(message, "currency_code"))), ("amount", amount)];
    Ok(Value::Context(Arc::new(entries.into_iter().map(|(name, value)| (Arc::from(name), value)).collect())))
}

pub(super) fn write_money(value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let Value::Context(context) = value else { return Err(writing::wrong("context", value).into()) };
    only(context, &["currency_code", "amount"])?;
    let currency = match context.get("currency_code") {
        Some(Value::Text(code)) => code.to_string(),
        None | Some(Value::Null) => String::new(),
        Some(other) => return Err(PayloadError::from(writing::wrong("string", other)).within("currency_code")),
    };
    let amount = context.get("amount").unwrap_or(&Value::Null);
    let billionths = billionths(amount).map_err(|rule| PayloadError::from(rule).within("amount"))?;
    let out_of_range = || PayloadError::from(Rule::OutOfRange("the units of a Money")).within("amount");
    let units = i64::try_from(billionths / NANOS).map_err(|_| out_of_range())?;
    let nanos = i32::try_from(billionths % NANOS).map_err(|_| out_of_range())?;
    let fields = vec![("currency_code", Field::String(currency)), ("units", Field::I64(units)), ("nanos", Field::I32(nanos))];
    build(message, fields)
}

fn billionths(amount: &Value) -> Result<i128, Rule> {
    let Value::Number(number) = amount else { return Err(writing::wrong("number", amount)) };
    if number.rounded(9, Rounding::Down) != Some(*number) {
        return Err(Rule::Unfit("a Money has nine digits behind the point at most: round it"));
    }
    let scaled = number.times(Number::from(1_000_000_000_i64)).ok_or(Rule::OutOfRange("the units of a Money"))?;
    scalar::whole(&Value::Number(scaled), "the units of a Money")
}

fn only(context: &Context, known: &[&str]) -> Result<(), Rule> {
    match context.iter().all(|(name, _)| known.contains(&&**name)) {
        true => Ok(()),
        false => Err(Rule::UnknownField { message: "google.type.Money".to_owned(), known: known.join(", ") }),
    }
}

/// `google.type.Decimal`: a text of any number of digits, of which FEEL has 34.
pub(super) fn decimal(message: &DynamicMessage) -> Result<Value, PayloadError> {
    let text = text(message, "value");
    if text.is_empty() {
        return Ok(Value::Number(Number::ZERO));
    }
    let number: Number = text.parse().map_err(|_| Rule::Unfit("the text of this Decimal is no number"))?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if digits.trim_matches('0').len() > 34 {
        return Err(Rule::Unfit("this Decimal has more than 34 digits").into());
    }
    Ok(Value::Number(number))
}

pub(super) fn write_decimal(value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let Value::Number(number) = value else { return Err(writing::wrong("number", value).into()) };
    let (coefficient, exponent) = number.parts();
    // Plain digits, unless that were a row of zeros.
    let text = if exponent.abs() > 34 { format!("{coefficient}E{exponent}") } else { number.to_string() };
    build(message, vec![("value", Field::String(text))])
}

/// `google.type.Interval`: its end is not in it; an end that is missing is open.
pub(super) fn interval(message: &DynamicMessage) -> Result<Value, PayloadError> {
    let Value::Context(ends) = reading::fields(message)? else { return Ok(Value::Null) };
    let end = |name| ends.get(name).cloned().unwrap_or(Value::Null);
    Ok(Value::Range(Arc::new(Range {
        start: end("start_time"),
        start_included: true,
        end: end("end_time"),
        end_included: false,
        outside: false,
        compared: false,
    })))
}

pub(super) fn write_interval(value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let Value::Range(range) = value else { return Err(writing::wrong("range", value).into()) };
    let begins = range.start_included || range.start.is_null();
    let ends = !range.end_included || range.end.is_null();
    if range.outside || !begins || !ends {
        return Err(Rule::Unfit("an Interval has its begin in it, and not its end: [begin..end)").into());
    }
    let entries = [("start_time", &range.start), ("end_time", &range.end)];
    let context = entries.into_iter().map(|(name, value)| (Arc::from(name), value.clone())).collect();
    writing::fields(&context, message)
}
