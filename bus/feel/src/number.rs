//! Decimal numbers of 34 digits (IEEE 754 decimal128, rounding half even), with a short way for small ones.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use dfp_number_sys as dfp;
use dfp_number_sys::BID128;

const EVEN: u32 = dfp::RND_NEAREST_EVEN;
/// What decimal128 adds to an exponent to store it.
const BIAS: i64 = 6176;

/// A decimal number. Most are small: an `i64` and a scale, compared and added without a call into the library.
#[derive(Clone, Copy)]
pub struct Number(Form);

#[derive(Clone, Copy)]
enum Form {
    /// `coefficient / 10^scale`, the scale at most 18.
    Small {
        coefficient: i64,
        scale: u8,
    },
    Wide(BID128),
}

/// Which way a number is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Half away from zero.
    HalfUp,
    /// Half towards zero.
    HalfDown,
    /// Half to the even digit.
    HalfEven,
    /// Towards negative infinity.
    Floor,
    /// Towards positive infinity.
    Ceiling,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self(Form::Small { coefficient: 0, scale: 0 });
    /// One.
    pub const ONE: Self = Self(Form::Small { coefficient: 1, scale: 0 });

    fn wide(self) -> BID128 {
        match self.0 {
            Form::Small { coefficient, scale } => {
                let sign = u64::from(coefficient < 0) << 63;
                let exponent = (BIAS - i64::from(scale)).unsigned_abs() << 49;
                BID128::new(coefficient.unsigned_abs(), sign | exponent)
            }
            Form::Wide(wide) => wide,
        }
    }

    /// A result of the library: nothing where it is no finite number.
    fn finite(wide: BID128) -> Option<Self> {
        // The library must not be asked for the exponent of an infinity.
        dfp::bid128_000::bid128_is_finite(wide).then(|| Self(Form::Wide(wide)).reduced())
    }

    /// The short form where there is one, so that a chain of operations stays quick.
    fn reduced(self) -> Self {
        let Form::Wide(wide) = self.0 else { return self };
        let exponent = dfp::bid128_000::bid128_quantexp(wide);
        if !(-18..=0).contains(&exponent) {
            return self;
        }
        let mut flags = 0;
        let coefficient = dfp::bid128_000::bid128_to_int64_int(dfp::bid128_000::bid128_scalbn(wide, -exponent), &mut flags);
        if flags == 0 { Self(Form::Small { coefficient, scale: exponent.unsigned_abs() as u8 }) } else { self }
    }

    /// The number as `coefficient × 10^exponent`.
    #[must_use]
    pub fn parts(self) -> (i128, i32) {
        match self.0 {
            Form::Small { coefficient, scale } => (i128::from(coefficient), -i32::from(scale)),
            // The library shows a number as "+12345E-2".
            Form::Wide(wide) => {
                let text = wide.to_string();
                let (coefficient, exponent) = text.split_once('E').unwrap_or((&text, "0"));
                (coefficient.parse().unwrap_or(0), exponent.parse().unwrap_or(0))
            }
        }
    }

    fn two(self, other: Self, operation: fn(BID128, BID128, u32, &mut u32) -> BID128) -> Option<Self> {
        let mut flags = 0;
        Self::finite(operation(self.wide(), other.wide(), EVEN, &mut flags))
    }

    fn one(self, operation: fn(BID128, u32, &mut u32) -> BID128) -> Option<Self> {
        let mut flags = 0;
        Self::finite(operation(self.wide(), EVEN, &mut flags))
    }

    /// The sum; nothing where it is too large.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        if let (Form::Small { coefficient: a, scale }, Form::Small { coefficient: b, scale: other_scale }) = (self.0, other.0)
            && scale == other_scale
            && let Some(coefficient) = a.checked_add(b)
        {
            return Some(Self(Form::Small { coefficient, scale }));
        }
        self.two(other, dfp::bid128_000::bid128_add)
    }

    /// The difference; nothing where it is too large.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// The product; nothing where it is too large.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        if let (Form::Small { coefficient: a, scale }, Form::Small { coefficient: b, scale: other_scale }) = (self.0, other.0)
            && scale + other_scale <= 18
            && let Some(coefficient) = a.checked_mul(b)
        {
            return Some(Self(Form::Small { coefficient, scale: scale + other_scale }));
        }
        self.two(other, dfp::bid128_000::bid128_mul)
    }

    /// The quotient; nothing where the divisor is zero.
    #[must_use]
    pub fn divided_by(self, other: Self) -> Option<Self> {
        self.two(other, dfp::bid128_000::bid128_div)
    }

    /// The power; nothing where it is not a finite number.
    #[must_use]
    pub fn power(self, other: Self) -> Option<Self> {
        self.two(other, dfp::bid128_000::bid128_pow)
    }

    /// The remainder with the sign of the divisor, as FEEL's `modulo` has it.
    #[must_use]
    pub fn modulo(self, divisor: Self) -> Option<Self> {
        let quotient = self.divided_by(divisor)?.rounded(0, Rounding::Floor)?;
        self.minus(divisor.times(quotient)?)
    }

    /// The square root of a number that is not negative.
    #[must_use]
    pub fn square_root(self) -> Option<Self> {
        self.one(dfp::bid128_000::bid128_sqrt)
    }

    /// The natural logarithm of a positive number.
    #[must_use]
    pub fn logarithm(self) -> Option<Self> {
        self.one(dfp::bid128_000::bid128_log)
    }

    /// e to this power.
    #[must_use]
    pub fn exponential(self) -> Option<Self> {
        self.one(dfp::bid128_000::bid128_exp)
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        match self.0 {
            Form::Small { coefficient, scale } if coefficient != i64::MIN => {
                Self(Form::Small { coefficient: -coefficient, scale })
            }
            _ => Self(Form::Wide(dfp::bid128_000::bid128_negate(self.wide()))),
        }
    }

    /// The magnitude.
    #[must_use]
    pub fn absolute(self) -> Self {
        if self < Self::ZERO { self.negated() } else { self }
    }

    /// The number rounded to so many digits behind the point (before it, where negative).
    #[must_use]
    pub fn rounded(self, scale: i32, rounding: Rounding) -> Option<Self> {
        if !(-6111..=6176).contains(&scale) {
            return None;
        }
        let (coefficient, exponent) = self.parts();
        if exponent >= -scale {
            return Some(self);
        }
        let dropped = -scale - exponent;
        let (quotient, remainder, half) = if dropped > 37 {
            (0, coefficient, i128::MAX)
        } else {
            let unit = 10_i128.pow(dropped.unsigned_abs());
            (coefficient / unit, coefficient % unit, unit / 2)
        };
        let beyond = remainder.abs().cmp(&half);
        let away = match rounding {
            Rounding::Up => remainder != 0,
            Rounding::Down => false,
            Rounding::HalfUp => beyond != Ordering::Less,
            Rounding::HalfDown => beyond == Ordering::Greater,
            Rounding::HalfEven => beyond == Ordering::Greater || (beyond == Ordering::Equal && quotient % 2 != 0),
            Rounding::Floor => remainder < 0,
            Rounding::Ceiling => remainder > 0,
        };
        Self::scaled(if away { quotient + coefficient.signum() } else { quotient }, -scale)
    }

    /// `coefficient × 10^exponent`.
    #[must_use]
    pub fn scaled(coefficient: i128, exponent: i32) -> Option<Self> {
        match i64::try_from(coefficient) {
            Ok(coefficient) if (-18..=0).contains(&exponent) => {
                Some(Self(Form::Small { coefficient, scale: exponent.unsigned_abs() as u8 }))
            }
            _ => format!("{coefficient}E{exponent}").parse().ok(),
        }
    }

    /// Whether nothing stands behind the point.
    #[must_use]
    pub fn is_integer(self) -> bool {
        self.rounded(0, Rounding::Down) == Some(self)
    }

    /// The number without what stands behind its point, where it fits.
    #[must_use]
    pub fn truncated(self) -> Option<i64> {
        let (mut coefficient, mut exponent) = self.rounded(0, Rounding::Down)?.parts();
        while exponent > 0 && coefficient != 0 {
            coefficient = coefficient.checked_mul(10)?;
            exponent -= 1;
        }
        while exponent < 0 {
            coefficient /= 10;
            exponent += 1;
        }
        i64::try_from(coefficient).ok()
    }

    /// The whole number that this is, if it is one.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        if let Form::Small { coefficient, scale: 0 } = self.0 {
            return Some(coefficient);
        }
        if self.is_integer() { self.truncated() } else { None }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Form::Small { coefficient: value, scale: 0 })
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::from(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// The text is no number of 34 digits' range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
        if !plain || digits.is_empty() || text.len() > 10_000 || !digits.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(NotANumber);
        }
        if let Ok(small) = text.parse::<i64>() {
            return Ok(Self::from(small));
        }
        let mut flags = 0;
        Self::finite(dfp::bid128_000::bid128_from_string(text, EVEN, &mut flags)).ok_or(NotANumber)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Form::Small { coefficient: a, scale: s }, Form::Small { coefficient: b, scale: t }) = (self.0, other.0) {
            if s == t {
                return a.cmp(&b);
            }
            let (a, b) = (i128::from(a), i128::from(b));
            return if s < t { (a * 10_i128.pow(u32::from(t - s))).cmp(&b) } else { a.cmp(&(b * 10_i128.pow(u32::from(s - t)))) };
        }
        let mut flags = 0;
        let (a, b) = (self.wide(), other.wide());
        if dfp::bid128_000::bid128_quiet_equal(a, b, &mut flags) {
            Ordering::Equal
        } else if dfp::bid128_000::bid128_quiet_less(a, b, &mut flags) {
            Ordering::Less
        } else {
            Ordering::Greater
        }
    }
}

impl fmt::Display for Number {
    /// Plain digits, without zeros that say nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut coefficient, mut exponent) = self.parts();
        if coefficient == 0 {
            return f.write_str("0");
        }
        while coefficient % 10 == 0 && exponent < 0 {
            coefficient /= 10;
            exponent += 1;
        }
        let digits = coefficient.unsigned_abs().to_string();
        let sign = if coefficient < 0 { "-" } else { "" };
        if exponent >= 0 {
            return write!(f, "{sign}{digits}{}", "0".repeat(exponent.unsigned_abs() as usize));
        }
        let behind = exponent.unsigned_abs() as usize;
        if digits.len() > behind {
            let (whole, fraction) = digits.split_at(digits.len() - behind);
            write!(f, "{sign}{whole}.{fraction}")
        } else {
            write!(f, "{sign}0.{digits:0>behind$}")
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
