//! A condition bound to a record: its fields found, its literals of the right sort.

use std::cmp::Ordering;

use passerelle_copybook::{Encoding, Item, PictureKind, Probe, ProbeValue, RecordError};

use super::syntax::Expression;
use super::token::{Comparison, Literal};

/// A condition that can be asked of response records.
#[derive(Debug)]
pub(crate) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Compare { probe: Probe, comparison: Comparison, literal: Literal },
    In { probe: Probe, literals: Vec<Literal> },
}

impl Condition {
    /// Finds the fields. The error names those that exist when one is unknown.
    pub(crate) fn compile(expression: &Expression, record: &Item, encoding: &Encoding) -> Result<Self, String> {
        let all = |parts: &[Expression]| parts.iter().map(|part| Self::compile(part, record, encoding)).collect::<Result<_, _>>();
        Ok(match expression {
            Expression::Or(parts) => Self::Or(all(parts)?),
            Expression::And(parts) => Self::And(all(parts)?),
            Expression::Compare { field, comparison, literal } => {
                let probe = probe(field, std::slice::from_ref(literal), record, encoding)?;
                let is_order = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                if is_order && matches!(literal, Literal::Text(_)) {
                    return Err(format!("{field} is text: it can be compared with ==, != and `in` only"));
                }
                Self::Compare { probe, comparison: *comparison, literal: literal.clone() }
            }
            Expression::In { field, literals } => {
                Self::In { probe: probe(field, literals, record, encoding)?, literals: literals.clone() }
            }
        })
    }

    /// Whether it holds for a record.
    pub(crate) fn holds(&self, record: &[u8]) -> Result<bool, RecordError> {
        match self {
            Self::Or(parts) => any(parts, |part| part.holds(record)),
            Self::And(parts) => Ok(!any(parts, |part| part.holds(record).map(|holds| !holds))?),
            Self::Compare { probe, comparison, literal } => {
                let order = order(&probe.read(record)?, literal);
                Ok(match comparison {
                    Comparison::Equal => order == Some(Ordering::Equal),
                    Comparison::NotEqual => order != Some(Ordering::Equal),
                    Comparison::Less => order == Some(Ordering::Less),
                    Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                    Comparison::Greater => order == Some(Ordering::Greater),
                    Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                })
            }
            Self::In { probe, literals } => {
                let value = probe.read(record)?;
                Ok(literals.iter().any(|literal| order(&value, literal) == Some(Ordering::Equal)))
            }
        }
    }
}

fn any(parts: &[Condition], holds: impl Fn(&Condition) -> Result<bool, RecordError>) -> Result<bool, RecordError> {
    for part in parts {
        if holds(part)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Finds the field, and makes sure that the literals are of its sort.
fn probe(field: &str, literals: &[Literal], record: &Item, encoding: &Encoding) -> Result<Probe, String> {
    let name = field.to_ascii_uppercase();
    let probe = Probe::compile(record, &name, encoding).map_err(|error| error.to_string())?;
    let is_number = find(record, &name).is_some_and(is_number);
    for literal in literals {
        match literal {
            Literal::Text(_) if is_number => return Err(format!("{field} is a number, compare it with a number")),
            Literal::Number { .. } if !is_number => return Err(format!("{field} is text, compare it with a quoted text")),
            _ => {}
        }
    }
    Ok(probe)
}

/// The item of that name or dotted path; the probe has made sure that there is one only.
fn find<'a>(item: &'a Item, path: &str) -> Option<&'a Item> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let is_named = item.name == first;
    match rest {
        None if is_named && item.is_elementary() => Some(item),
        Some(rest) if is_named => item.children.iter().find_map(|child| find(child, rest)),
        _ => item.children.iter().find_map(|child| find(child, path)),
    }
}

fn is_number(item: &Item) -> bool {
    !matches!(&item.picture, Some(picture) if matches!(picture.kind, PictureKind::Text { .. }))
}

fn order(value: &ProbeValue, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (ProbeValue::Number { unscaled, scale }, Literal::Number { unscaled: other, scale: other_scale }) => {
            Some(decimal_order((*unscaled, *scale), (*other, *other_scale)))
        }
        (ProbeValue::Text(text), Literal::Text(other)) => Some(text.cmp(other)),
        _ => None,
    }
}

/// Compares `unscaled` × 10^-`scale` exactly. A number too large to be brought to the other's scale is the larger one.
fn decimal_order((left, left_scale): (i128, i32), (right, right_scale): (i128, i32)) -> Ordering {
    let raised = |number: i128, by: i32| match number {
        0 => Some(0),
        _ => 10_i128.checked_pow(u32::try_from(by).ok()?)?.checked_mul(number),
    };
    if left_scale < right_scale {
        raised(left, right_scale.saturating_sub(left_scale)).map_or(left.cmp(&0), |left| left.cmp(&right))
    } else {
        raised(right, left_scale.saturating_sub(right_scale)).map_or(0.cmp(&right), |right| left.cmp(&right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_compared_whatever_their_scale() {
        use Ordering::{Equal, Greater, Less};
        let cases = [
            ((-800, 2), (-8, 0), Equal),
            ((-801, 2), (-8, 0), Less),
            ((5, -3), (5000, 0), Equal),
            ((0, 30), (0, -30), Equal),
            ((0, -30), (5, 30), Less),
            ((1, 0), (i128::MAX, 38), Less),
            ((i128::MAX, 0), (1, 38), Greater),
            ((i128::MIN, 0), (1, 38), Less),
            ((1, 38), (i128::MAX, -38), Less),
        ];
        for (left, right, expected) in cases {
            assert_eq!(decimal_order(left, right), expected, "{left:?} {right:?}");
            assert_eq!(decimal_order(right, left), expected.reverse(), "{right:?} {left:?}");
        }
    }
}
