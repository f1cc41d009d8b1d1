//! `grpc-timeout` as a deadline (gRPC over HTTP/2, "Timeout").

use std::time::{Duration, Instant};

use tonic::metadata::MetadataMap;

/// More digits are malformed.
const DIGITS: usize = 8;

/// When the bus stops waiting; `None`: it did not say, or not in a way that can be read.
pub(crate) fn deadline(metadata: &MetadataMap) -> Option<Instant> {
    timeout(metadata.get("grpc-timeout")?.to_str().ok()?).and_then(|timeout| Instant::now().checked_add(timeout))
}

fn timeout(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.is_empty() || number.len() > DIGITS || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_up_to_eight_digits_and_a_unit() {
        let cases = [("1H", 3_600_000), ("2M", 120_000), ("3S", 3_000), ("250m", 250), ("5000u", 5), ("99999999n", 99)];
        for (text, milliseconds) in cases {
            assert_eq!(timeout(text).map(|timeout| timeout.as_millis()), Some(milliseconds), "{text}");
        }
        for bad in ["", "S", "1", "1s", "-1S", "123456789S", "1é"] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
    }
}
