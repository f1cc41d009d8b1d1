//! Calls that are turned away before they reach the back office: why, and when to come back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tonic::metadata::{AsciiMetadataValue, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// What gRPC clients with a retry policy obey (gRFC A6, "Pushback"): milliseconds, or -1 for "do not".
const PUSHBACK: &str = "grpc-retry-pushback-ms";
/// Whose reasons these are (google.rpc.ErrorInfo).
const DOMAIN: &str = "passerelle";
/// Those who are turned away at one moment come back spread over this much of the time that they are told to wait.
const SPREAD: f64 = 0.5;

/// A call that is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shed {
    pub(super) reason: Reason,
    /// When it is worth coming back, if that is known.
    pub(super) come_back: Option<Duration>,
}

/// Why a call is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Outside of its opening hours, or in a batch window in which nothing is taken.
    Closed,
    /// As many as may already wait.
    QueueFull,
    /// A more valued customer's call took its place in the line.
    Displaced,
    /// It would have waited beyond its deadline, or so near to it that the answer would come too late.
    DeadlineTooNear,
    /// It would have waited, or has waited, longer than calls may wait.
    WaitTooLong,
    /// It fails, and is left alone for a while.
    Failing,
}

/// All reasons, in the order of their numbers.
pub(super) const REASONS: [Reason; 6] =
    [Reason::Closed, Reason::QueueFull, Reason::Displaced, Reason::DeadlineTooNear, Reason::WaitTooLong, Reason::Failing];

impl Reason {
    /// The name in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::QueueFull => "queue_full",
            Self::Displaced => "displaced",
            Self::DeadlineTooNear => "deadline_too_near",
            Self::WaitTooLong => "wait_too_long",
            Self::Failing => "failing",
        }
    }

    /// The name in error details (google.rpc.ErrorInfo wants capitals).
    fn word(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::QueueFull => "QUEUE_FULL",
            Self::Displaced => "DISPLACED",
            Self::DeadlineTooNear => "DEADLINE_TOO_NEAR",
            Self::WaitTooLong => "WAIT_TOO_LONG",
            Self::Failing => "FAILING",
        }
    }

    fn code(self) -> Code {
        match self {
            Self::Closed | Self::Failing => Code::Unavailable,
            Self::QueueFull | Self::Displaced | Self::DeadlineTooNear | Self::WaitTooLong => Code::ResourceExhausted,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Closed => "is closed at this time",
            Self::QueueFull => "is busy, and as many calls as may are waiting for it",
            Self::Displaced => "is busy, and calls that go before this one fill the line",
            Self::DeadlineTooNear => "is busy, and could not answer within the deadline",
            Self::WaitTooLong => "is busy, and this call would have to wait too long",
            Self::Failing => "fails, and is left alone for a while",
        }
    }
}

impl Shed {
    /// What the caller hears. `chance` (0 to 1) spreads the callers over time.
    pub(super) fn status(self, endpoint: &str, deadline: Option<Instant>, now: Instant, chance: f64) -> Status {
        let mut details = ErrorDetails::new();
        let names = HashMap::from([("endpoint".to_owned(), endpoint.to_owned())]);
        details.set_error_info(self.reason.word(), DOMAIN, names);
        let come_back = self.come_back.map(|wait| wait.mul_f64(1.0 + SPREAD * chance.clamp(0.0, 1.0)));
        let mut text = format!("back office {endpoint} {}", self.reason.text());
        if let Some(wait) = come_back {
            details.set_retry_info(Some(wait));
            text = format!("{text}; come back in {}", in_words(wait));
        }
        let mut status = Status::with_error_details(self.reason.code(), text, details);
        status.metadata_mut().insert(PUSHBACK, pushback(come_back, deadline, now));
        status
    }
}

/// A client obeys even where it means to sleep beyond its deadline, and would hear of the failure only then: so it is told not to.
fn pushback(come_back: Option<Duration>, deadline: Option<Instant>, now: Instant) -> AsciiMetadataValue {
    let in_time = |wait: &Duration| deadline.is_none_or(|at| now.checked_add(*wait).is_some_and(|then| then < at));
    let millis = come_back.filter(in_time).and_then(|wait| i32::try_from(wait.as_millis()).ok());
    millis.map_or(MetadataValue::from_static("-1"), MetadataValue::from)
}

fn in_words(wait: Duration) -> String {
    match wait.as_secs() {
        0..10 => format!("{} ms", wait.as_millis()),
        10..600 => format!("{} s", wait.as_secs()),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(shed: Shed, left: Option<u64>) -> (Code, String, String) {
        let now = Instant::now();
        let status = shed.status("accounts", left.map(|left| now + Duration::from_millis(left)), now, 0.0);
        assert_eq!(status.get_details_retry_info().and_then(|info| info.retry_delay), shed.come_back);
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.domain.as_str(), info.reason.to_lowercase().as_str()), (DOMAIN, shed.reason.label()));
        (status.code(), status.message().to_owned(), status.metadata().get(PUSHBACK).unwrap().to_str().unwrap().to_owned())
    }

    #[test]
    fn the_caller_hears_why_and_when_to_come_back_and_never_beyond_its_deadline() {
        let come_back = Some(Duration::from_millis(250));
        let busy = "back office accounts is busy, and as many calls as may are waiting for it";
        let cases = [
            (Shed { reason: Reason::QueueFull, come_back }, Some(300), "250"),
            (Shed { reason: Reason::QueueFull, come_back }, None, "250"),
            (Shed { reason: Reason::QueueFull, come_back }, Some(200), "-1"),
        ];
        for (shed, left, pushback) in cases {
            let expected = (Code::ResourceExhausted, format!("{busy}; come back in 250 ms"), pushback.to_owned());
            assert_eq!(told(shed, left), expected);
        }
        let night = Shed { reason: Reason::Closed, come_back: Some(Duration::from_secs(8 * 3600)) };
        let text = "back office accounts is closed at this time; come back in 480 min".to_owned();
        assert_eq!(told(night, Some(30_000)), (Code::Unavailable, text, "-1".to_owned()));
        for reason in REASONS {
            assert_eq!(told(Shed { reason, come_back: None }, None).2, "-1");
        }
    }

    #[test]
    fn callers_are_spread_and_never_come_back_too_early() {
        let shed = Shed { reason: Reason::WaitTooLong, come_back: Some(Duration::from_millis(100)) };
        let wait = |chance| {
            let status = shed.status("accounts", None, Instant::now(), chance);
            status.get_details_retry_info().and_then(|info| info.retry_delay).unwrap().as_millis()
        };
        assert_eq!([wait(0.0), wait(0.5), wait(1.0)], [100, 125, 150]);
    }
}
