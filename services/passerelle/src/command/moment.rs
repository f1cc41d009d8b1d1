//! Moments as the commands print them.

use prost_types::Timestamp;

/// To the second, in UTC: `2026-11-23T08:00:00Z`; `-` for none.
pub(super) fn to_the_second(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| Timestamp { seconds: at.seconds, nanos: 0 }.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_less_than_a_second_is_not_shown() {
        let at = Timestamp { seconds: 1_795_420_800, nanos: 123_456_789 };
        assert_eq!(to_the_second(Some(at)), "2026-11-23T08:00:00Z");
        assert_eq!(to_the_second(None), "-");
    }
}
