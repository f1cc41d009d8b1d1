//! IRM_TIMER: the time IMS Connect waits for IMS, as one byte.

use std::time::Duration;

/// The timer's byte for the time left, rounded down so that IMS Connect gives up before the caller does, and says so.
/// Source: "Timer interval specifications": X'01' to X'19' are hundredths of a second, X'1A' to X'27' steps of five hundredths
/// from 0.30 s, X'28' to X'63' seconds from 1 s, X'63' to X'9E' minutes from 1 min.
pub(crate) fn timer(left: Duration) -> u8 {
    let milliseconds = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    let byte = match milliseconds {
        0..10 => 1,
        10..300 => (milliseconds / 10).min(0x19),
        300..1_000 => 0x1A + (milliseconds - 300) / 50,
        1_000..60_000 => 0x28 + milliseconds / 1_000 - 1,
        60_000.. => (0x63 + milliseconds / 60_000 - 1).min(0x9E),
    };
    u8::try_from(byte).unwrap_or(0x9E)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timer_is_the_largest_step_within_the_time_left() {
        let cases = [
            (0, 0x01),
            (10, 0x01),
            (19, 0x01),
            (250, 0x19),
            (299, 0x19),
            (300, 0x1A),
            (349, 0x1A),
            (600, 0x20),
            (950, 0x27),
            (999, 0x27),
            (1_000, 0x28),
            (1_999, 0x28),
            (3_000, 0x2A),
            (59_999, 0x62),
            (60_000, 0x63),
            (119_999, 0x63),
            (120_000, 0x64),
            (3_600_000, 0x9E),
            (100_000_000, 0x9E),
        ];
        for (milliseconds, expected) in cases {
            assert_eq!(timer(Duration::from_millis(milliseconds)), expected, "{milliseconds} ms");
        }
    }
}
