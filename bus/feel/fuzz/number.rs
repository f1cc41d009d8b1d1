//! What must hold for every two numbers that are calculated with.

use std::cmp::Ordering;

use passerelle_feel::{Number, Rounding};

const ROUNDINGS: [Rounding; 7] =
    [Rounding::Up, Rounding::Down, Rounding::HalfUp, Rounding::HalfDown, Rounding::HalfEven, Rounding::Floor, Rounding::Ceiling];

/// Reads two numbers and does with them all that can be done. Panics where something is not as it must be.
pub(crate) fn calculate(a: &str, b: &str, scale: i32) {
    let (Ok(a), Ok(b)) = (a.parse::<Number>(), b.parse::<Number>()) else { return };
    ordered(a, b);
    let of_two = [a.plus(b), a.minus(b), a.times(b), a.divided_by(b), a.power(b), a.modulo(b)];
    let of_one = [a.square_root(), a.logarithm(), a.exponential(), Some(a.negated()), Some(a.absolute())];
    let rounded = ROUNDINGS.map(|rounding| a.rounded(scale, rounding));
    of_two.into_iter().chain(of_one).chain(rounded).chain([Some(a), Some(b)]).flatten().for_each(written_and_read);
    assert_eq!(a.plus(b), b.plus(a), "{a} + {b}");
    assert_eq!(a.times(b), b.times(a), "{a} * {b}");
    assert_eq!(a.negated().negated(), a);
    assert_eq!(a.minus(a), Some(Number::ZERO));
    assert!(a.absolute() >= Number::ZERO);
    if a < Number::ZERO {
        assert_eq!(a.square_root(), None, "the root of {a}");
        assert_eq!(a.logarithm(), None, "the logarithm of {a}");
    }
    if b == Number::ZERO {
        assert_eq!(a.divided_by(b), None, "{a} / 0");
    }
    whole(a);
    between(a, scale);
    exact(a, b);
}

fn ordered(a: Number, b: Number) {
    assert_eq!(a.cmp(&b), b.cmp(&a).reverse(), "{a} and {b}");
    assert_eq!(a.cmp(&a), Ordering::Equal);
    assert_eq!(a.negated().cmp(&b.negated()), b.cmp(&a), "-{a} and -{b}");
}

/// What is written is read as the same number.
fn written_and_read(number: Number) {
    let text = number.to_string();
    let (coefficient, exponent) = number.parts();
    assert_eq!(Number::scaled(coefficient, exponent), Some(number), "the parts of {text}");
    assert_eq!(text.parse::<Number>().ok(), Some(number), "{text}");
}

fn whole(a: Number) {
    assert_eq!(a.integer().is_some(), a.is_integer() && a.truncated().is_some(), "{a}");
    if let Some(integer) = a.integer() {
        assert_eq!(Number::from(integer), a);
    }
}

/// Rounding down and up has the number between the two; all other ways give one of them.
fn between(a: Number, scale: i32) {
    let (Some(floor), Some(ceiling)) = (a.rounded(scale, Rounding::Floor), a.rounded(scale, Rounding::Ceiling)) else { return };
    assert!(floor <= a && a <= ceiling, "{floor} <= {a} <= {ceiling}");
    for rounded in ROUNDINGS.iter().filter_map(|rounding| a.rounded(scale, *rounding)) {
        assert!(rounded == floor || rounded == ceiling, "{a} to {rounded}, not {floor} or {ceiling}");
    }
}

/// Sums and products of 34 digits at most are those of whole numbers.
fn exact(a: Number, b: Number) {
    let ((m, e), (n, f)) = (a.parts(), b.parts());
    let (digits17, digits34) = (10_i128.pow(17), 10_i128.pow(34));
    if m.abs() >= digits17 || n.abs() >= digits17 {
        return;
    }
    let product = Number::scaled(m * n, e + f);
    assert!(product.is_none() || e + f < -6176 || a.times(b) == product, "{a} * {b}");
    if e.abs_diff(f) <= 17 {
        let least = e.min(f);
        let sum = m * 10_i128.pow((e - least).unsigned_abs()) + n * 10_i128.pow((f - least).unsigned_abs());
        assert!(sum.abs() >= digits34 || a.plus(b) == Number::scaled(sum, least), "{a} + {b}");
    }
}
