//! `grpc-timeout`: read from the caller, reduced by the time spent here, written for the next hop.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header (gRPC over HTTP/2, "Timeout": at most eight digits and a unit).
pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// What one hour, one minute, … are called on the wire, from the coarsest to the finest, with their nanoseconds.
const UNITS: [(u8, u64); 6] =
    [(b'H', 3_600_000_000_000), (b'M', 60_000_000_000), (b'S', 1_000_000_000), (b'm', 1_000_000), (b'u', 1_000), (b'n', 1)];

/// A `grpc-timeout` that is not at most eight digits and one of `H M S m u n`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("grpc-timeout is malformed: one to eight digits and one of H M S m u n are expected")]
pub struct MalformedTimeout;

/// The time the caller gives, if any.
pub fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, MalformedTimeout> {
    headers.get(GRPC_TIMEOUT).map(|value| parse(value.as_bytes())).transpose()
}

fn parse(value: &[u8]) -> Result<Duration, MalformedTimeout> {
    let (unit, digits) = value.split_last().ok_or(MalformedTimeout)?;
    let nanos = UNITS.iter().find(|(name, _)| name == unit).ok_or(MalformedTimeout)?.1;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(MalformedTimeout);
    }
    let count = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Ok(Duration::from_secs(nanos / 1_000_000_000 * count) + Duration::from_nanos(nanos % 1_000_000_000 * count))
}

/// Writes the time left until `deadline` for the next hop, rounded down to what eight digits can say.
pub fn write(headers: &mut HeaderMap, deadline: Instant, now: Instant) {
    headers.insert(GRPC_TIMEOUT, format(deadline.saturating_duration_since(now)));
}

fn format(left: Duration) -> HeaderValue {
    let nanos = left.as_nanos();
    let (unit, count) = UNITS
        .iter()
        .rev()
        .map(|(unit, size)| (*unit, nanos / u128::from(*size)))
        .find(|(_, count)| *count <= 99_999_999)
        .unwrap_or((b'H', 99_999_999));
    let mut text = [0; 9];
    let mut start = 8;
    text[start] = unit;
    let mut rest = count;
    loop {
        start -= 1;
        text[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    // Digits and a letter are always a valid header value.
    HeaderValue::from_bytes(&text[start..]).unwrap_or_else(|_| HeaderValue::from_static("0n"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_says() {
        let cases = [
            ("1H", Some(3_600_000_000_000_u64)),
            ("2M", Some(120_000_000_000)),
            ("3S", Some(3_000_000_000)),
            ("99999999m", Some(99_999_999_000_000)),
            ("5u", Some(5_000)),
            ("0n", Some(0)),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("-1S", None),
            ("1.5S", None),
            ("123456789S", None),
            ("1 S", None),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse(text.as_bytes()).ok(), nanos.map(Duration::from_nanos), "{text:?}");
        }
        assert_eq!(parse(b"99999999H"), Ok(Duration::from_secs(99_999_999 * 3600)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_never_more_than_what_is_left(nanos in 0_u64..u64::MAX) {
            let left = Duration::from_nanos(nanos);
            let back = parse(format(left).as_bytes()).unwrap();
            prop_assert!(back <= left);
            // Eight digits keep at least seven significant ones.
            prop_assert!(left - back <= left / 1_000_000 + Duration::from_nanos(1));
        }
    }
}
