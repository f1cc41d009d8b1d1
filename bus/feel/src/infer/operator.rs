//! What operators give, and what they cannot take.

use crate::node::Arithmetic;

use super::{Shape, Walk};

impl Walk {
    pub(super) fn arithmetic(&mut self, operator: Arithmetic, left: &Shape, right: &Shape) -> Shape {
        if !left.is_scalar() || !right.is_scalar() {
            return Shape::Unknown;
        }
        let (given, sign) = match operator {
            Arithmetic::Add => (sum(left, right).or_else(|| sum(right, left)), "+"),
            Arithmetic::Subtract => (difference(left, right), "-"),
            Arithmetic::Multiply => (product(left, right).or_else(|| product(right, left)), "*"),
            Arithmetic::Divide => (quotient(left, right), "/"),
            Arithmetic::Power => (numbers(left, right), "**"),
        };
        given.unwrap_or_else(|| {
            self.problem(format!("a {} {sign} a {} is always null", left.type_name(), right.type_name()));
            Shape::Unknown
        })
    }

    /// Says where two values can never be equal, nor one before the other.
    pub(super) fn comparable(&mut self, left: &Shape, right: &Shape) {
        if !left.is_scalar() || !right.is_scalar() {
            return;
        }
        match (left, right) {
            (Shape::Date | Shape::DateTime, Shape::Date | Shape::DateTime) => {}
            (Shape::Text(Some(one)), Shape::Text(Some(other))) if one.iter().all(|word| !other.contains(word)) => {
                let (words, constant) = if one.len() == 1 { (other, one) } else { (one, other) };
                if let [constant] = &**constant {
                    self.problem(format!("it is never \"{constant}\", but one of {}", words.join(", ")));
                }
            }
            _ if left.type_name() != right.type_name() => {
                self.problem(format!("a {} is compared with a {}", left.type_name(), right.type_name()));
            }
            _ => {}
        }
    }
}

fn numbers(left: &Shape, right: &Shape) -> Option<Shape> {
    matches!((left, right), (Shape::Number(_), Shape::Number(_))).then_some(Shape::NUMBER)
}

/// In either order.
fn sum(left: &Shape, right: &Shape) -> Option<Shape> {
    Some(match (left, right) {
        (Shape::Number(a), Shape::Number(b)) => Shape::Number(a.plus(*b)),
        (Shape::Text(_), Shape::Text(_)) => Shape::TEXT,
        (Shape::Date | Shape::DateTime | Shape::Duration, Shape::Duration) => left.clone(),
        (Shape::Date | Shape::DateTime | Shape::Months, Shape::Months) => left.clone(),
        (Shape::Time, Shape::Duration) => Shape::Time,
        _ => return None,
    })
}

fn difference(left: &Shape, right: &Shape) -> Option<Shape> {
    Some(match (left, right) {
        (Shape::Number(a), Shape::Number(b)) => Shape::Number(a.plus(b.negated())),
        (Shape::Date | Shape::DateTime, Shape::Date | Shape::DateTime) | (Shape::Time, Shape::Time) => Shape::Duration,
        (Shape::Date | Shape::DateTime | Shape::Duration | Shape::Time, Shape::Duration) => left.clone(),
        (Shape::Date | Shape::DateTime | Shape::Months, Shape::Months) => left.clone(),
        _ => return None,
    })
}

/// In either order.
fn product(left: &Shape, right: &Shape) -> Option<Shape> {
    Some(match (left, right) {
        (Shape::Number(a), Shape::Number(b)) => Shape::Number(a.times(*b)),
        (Shape::Months | Shape::Duration, Shape::Number(_)) => left.clone(),
        _ => return None,
    })
}

fn quotient(left: &Shape, right: &Shape) -> Option<Shape> {
    Some(match (left, right) {
        (Shape::Number(_), Shape::Number(_)) | (Shape::Months, Shape::Months) | (Shape::Duration, Shape::Duration) => {
            Shape::NUMBER
        }
        (Shape::Months | Shape::Duration, Shape::Number(_)) => left.clone(),
        _ => return None,
    })
}
