//! Decimal numbers as text: exact, with as many decimals as the picture has.

use super::error::Rule;
use super::packed::last_digit;
use crate::limits;

/// Writes `unscaled` × 10^-`scale`: `-12345.67`, `1.2500`, `12000` (scale -3). Zero has no sign.
pub(super) fn format(unscaled: i128, scale: i32, out: &mut Vec<u8>) {
    let decimals = scale.max(0) as usize;
    digits(unscaled, decimals + 1, out);
    if scale < 0 && unscaled != 0 {
        out.extend(std::iter::repeat_n(b'0', scale.unsigned_abs() as usize));
    }
    if decimals > 0 {
        out.insert(out.len() - decimals, b'.');
    }
}

/// Writes the digits of a number, at least `width` of them, behind a minus sign if it has one.
pub(super) fn digits(value: i128, width: usize, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    // More than any 128 bit number has; `width` is a picture's digits, its zeros before them, and one.
    let mut buffer = [b'0'; 2 * limits::DIGITS as usize];
    let mut start = buffer.len();
    let mut rest = value.unsigned_abs();
    while rest > 0 {
        start -= 1;
        buffer[start] = b'0' + last_digit(&mut rest);
    }
    start = start.min(buffer.len().saturating_sub(width));
    out.extend_from_slice(&buffer[start..]);
}

/// Reads a decimal number as the unscaled value that belongs to `scale`. Takes a sign, digits, and a point with decimals.
pub(super) fn parse(text: &str, scale: i32) -> Result<i128, Rule> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
        return Err("not a decimal number: write it like -12345.67".into());
    }
    let fraction = fraction.trim_end_matches('0');
    let decimals = scale.max(0) as usize;
    if fraction.len() > decimals {
        return Err(format!("more than {decimals} decimals").into());
    }
    let mut whole = whole.trim_start_matches('0');
    let zeros = (-scale).max(0) as usize;
    if zeros > 0 && !whole.is_empty() {
        let kept = whole.len().saturating_sub(zeros);
        if !whole.ends_with(&"0".repeat(zeros)) {
            return Err(format!("its last {zeros} digits must be zeros").into());
        }
        whole = &whole[..kept];
    }
    if whole.len() + decimals > limits::DIGITS as usize {
        return Err("too large for its picture".into());
    }
    let mut unscaled = 0i128;
    for digit in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', decimals - fraction.len())) {
        unscaled = unscaled * 10 + i128::from(digit - b'0');
    }
    Ok(if negative { -unscaled } else { unscaled })
}

/// The value at another scale, if it has one there.
pub(super) fn rescale(unscaled: i128, from: i32, to: i32) -> Option<i128> {
    let power = 10i128.checked_pow((to - from).unsigned_abs())?;
    if to >= from { unscaled.checked_mul(power) } else { (unscaled % power == 0).then_some(unscaled / power) }
}
