//! Functions over numbers.

use crate::evaluate::Evaluation;
use crate::number::{Number, Rounding};
use crate::value::Value;

use super::Given;

/// Reads a number that a person wrote, with separators of thousands and of decimals.
pub(super) fn number(_: &mut Evaluation, arguments: &[Value]) -> Given {
    let separator = |value: &Value, allowed: &str| match value {
        Value::Null => Some(String::new()),
        Value::Text(text) if text.chars().count() == 1 && allowed.contains(&**text) => Some(text.to_string()),
        _ => None,
    };
    let (text, grouping, decimal) = match arguments {
        [Value::Number(number)] => return Ok(Some(Value::Number(*number))),
        [Value::Text(text)] => (text, Some(String::new()), Some(String::new())),
        [Value::Text(text), grouping] => (text, separator(grouping, " ,."), Some(String::new())),
        [Value::Text(text), grouping, decimal] => (text, separator(grouping, " ,."), separator(decimal, ",.")),
        _ => return Ok(None),
    };
    let (Some(grouping), Some(decimal)) = (grouping, decimal) else { return Ok(None) };
    if !grouping.is_empty() && grouping == decimal {
        return Ok(None);
    }
    let mut plain = text.to_string();
    if !grouping.is_empty() {
        plain = plain.replace(&grouping, "");
    }
    if !decimal.is_empty() && decimal != "." {
        if plain.contains('.') {
            return Ok(None);
        }
        plain = plain.replace(&decimal, ".");
    }
    Ok(plain.parse().ok().map(Value::Number))
}

fn rounded(arguments: &[Value], rounding: Rounding, scale_needed: bool) -> Given {
    let (number, scale) = match arguments {
        [Value::Number(number)] if !scale_needed => (number, 0),
        [Value::Number(number), Value::Number(scale)] => match scale.truncated().and_then(|scale| i32::try_from(scale).ok()) {
            Some(scale) => (number, scale),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(number.rounded(scale, rounding).map(Value::Number))
}

pub(super) fn decimal(_: &mut Evaluation, arguments: &[Value]) -> Given {
    rounded(arguments, Rounding::HalfEven, true)
}

pub(super) fn round_up(_: &mut Evaluation, arguments: &[Value]) -> Given {
    rounded(arguments, Rounding::Up, true)
}

pub(super) fn round_down(_: &mut Evaluation, arguments: &[Value]) -> Given {
    rounded(arguments, Rounding::Down, true)
}

pub(super) fn round_half_up(_: &mut Evaluation, arguments: &[Value]) -> Given {
    rounded(arguments, Rounding::HalfUp, true)
}

pub(super) fn round_half_down(_: &mut Evaluation, arguments: &[Value]) -> Given {
    rounded(arguments, Rounding::HalfDown, true)
}

pub(super) fn floor(_: &mut Evaluation, arguments: &[Value]) -> Given {
    rounded(arguments, Rounding::Floor, false)
}

pub(super) fn ceiling(_: &mut Evaluation, arguments: &[Value]) -> Given {
    rounded(arguments, Rounding::Ceiling, false)
}

pub(super) fn abs(_: &mut Evaluation, arguments: &[Value]) -> Given {
    Ok(match arguments {
        [Value::Number(number)] => Some(Value::Number(number.absolute())),
        [Value::Months(months)] => Some(Value::Months(months.abs())),
        [Value::Duration(duration)] => Some(Value::Duration(duration.abs())),
        _ => None,
    })
}

pub(super) fn modulo(_: &mut Evaluation, arguments: &[Value]) -> Given {
    let [Value::Number(dividend), Value::Number(divisor)] = arguments else { return Ok(None) };
    Ok(dividend.modulo(*divisor).map(Value::Number))
}

fn one(arguments: &[Value], of: fn(Number) -> Option<Number>) -> Given {
    let [Value::Number(number)] = arguments else { return Ok(None) };
    Ok(of(*number).map(Value::Number))
}

pub(super) fn sqrt(_: &mut Evaluation, arguments: &[Value]) -> Given {
    one(arguments, Number::square_root)
}

pub(super) fn log(_: &mut Evaluation, arguments: &[Value]) -> Given {
    one(arguments, Number::logarithm)
}

pub(super) fn exp(_: &mut Evaluation, arguments: &[Value]) -> Given {
    one(arguments, Number::exponential)
}

fn parity(arguments: &[Value], odd: bool) -> Given {
    let [Value::Number(number)] = arguments else { return Ok(None) };
    let rest = number.modulo(Number::from(2_i64)).filter(|_| number.is_integer());
    Ok(rest.map(|rest| Value::Boolean((rest != Number::ZERO) == odd)))
}

pub(super) fn odd(_: &mut Evaluation, arguments: &[Value]) -> Given {
    parity(arguments, true)
}

pub(super) fn even(_: &mut Evaluation, arguments: &[Value]) -> Given {
    parity(arguments, false)
}

/// Chance is outside: a decision must give the same result again.
pub(super) fn random(_: &mut Evaluation, _: &[Value]) -> Given {
    Ok(None)
}
