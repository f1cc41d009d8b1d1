//! What a call's outcome means for the message.

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::call::observe::code_name;
use crate::call::{Reach, Reply};
use crate::delivery::Outcome;

/// Bytes of an explanation at most.
const LONGEST_WHY: usize = 500;

/// What is known after a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judged {
    Outcome(Outcome),
    /// Nobody knows whether it had its effect, and it must not have it twice.
    Open(String),
}

/// Judges a reply. A back office is believed that says no, that it is not there, or that it wants less; what else goes wrong after it may have
/// seen the message leaves open what became of it.
pub(super) fn judge(reply: Reply, is_idempotent: bool) -> Judged {
    let Reply { status, retry_after, reach, is_foreign } = reply;
    let why = words(&status, is_foreign);
    let outcome = match (status.code(), reach) {
        (Code::Ok, _) => Outcome::Delivered,
        // Of the bus itself: a message that cannot be translated, or looked into.
        (Code::InvalidArgument | Code::OutOfRange, Reach::Bus | Reach::Answered) => Outcome::Rejected { why },
        (Code::NotFound | Code::AlreadyExists | Code::PermissionDenied | Code::FailedPrecondition, Reach::Answered) => {
            Outcome::Rejected { why }
        }
        (Code::Aborted, Reach::Answered) => Outcome::Failed { retry_after, why },
        (Code::ResourceExhausted, Reach::Bus | Reach::Answered) => match retry_after {
            Some(retry_after) => Outcome::Throttled { retry_after, why },
            None => Outcome::Failed { retry_after, why },
        },
        // Whoever lacks the method, or does not know the bus, refuses any message, also without speaking gRPC.
        (Code::Unavailable, Reach::Answered)
        | (Code::Unimplemented | Code::Unauthenticated | Code::PermissionDenied, _)
        | (_, Reach::Bus) => Outcome::Unavailable { retry_after, is_open: false, why },
        (Code::Unavailable, Reach::Unknown) if is_idempotent => Outcome::Unavailable { retry_after, is_open: false, why },
        _ if is_idempotent => Outcome::Failed { retry_after, why },
        _ => return Judged::Open(why),
    };
    Judged::Outcome(outcome)
}

/// The outcome for people. What the back office says in its own words may hold values; its error details hold names of fields and reasons.
fn words(status: &Status, is_foreign: bool) -> String {
    let code = code_name(status.code());
    if !is_foreign {
        return short(format!("{code}: {}", status.message()));
    }
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| format!(", reason {}", info.reason)).unwrap_or_default();
    let fields: Vec<&str> =
        details.bad_request().into_iter().flat_map(|bad| &bad.field_violations).map(|violation| &*violation.field).collect();
    let fields = if fields.is_empty() { String::new() } else { format!(", fields {}", fields.join(", ")) };
    short(format!("the back office answered {code}{reason}{fields}"))
}

/// As much of an explanation as is kept.
pub(super) fn short(mut why: String) -> String {
    why.truncate(why.floor_char_boundary(LONGEST_WHY));
    why
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use expect_test::expect;
    use tonic_types::ErrorDetails;

    use super::*;

    const CODES: [Code; 17] = [
        Code::Ok,
        Code::Cancelled,
        Code::Unknown,
        Code::InvalidArgument,
        Code::DeadlineExceeded,
        Code::NotFound,
        Code::AlreadyExists,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unimplemented,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unauthenticated,
    ];

    fn verdict(code: Code, reach: Reach, is_idempotent: bool) -> &'static str {
        let reply = Reply { status: Status::new(code, "why"), retry_after: None, reach, is_foreign: false };
        match judge(reply, is_idempotent) {
            Judged::Outcome(Outcome::Delivered) => "delivered",
            Judged::Outcome(Outcome::Unavailable { .. }) => "away",
            Judged::Outcome(Outcome::Throttled { .. }) => "throttled",
            Judged::Outcome(Outcome::Failed { .. }) => "again",
            Judged::Outcome(Outcome::Rejected { .. }) => "rejected",
            Judged::Outcome(Outcome::Undecided { .. }) => "undecided",
            Judged::Open(_) => "open",
        }
    }

    #[test]
    fn every_outcome_has_its_meaning() {
        let mut table = format!("{:<20} {:<10} {:<10} {:<10} {}\n", "", "not sent", "answered", "lost", "lost, idempotent");
        for code in CODES {
            let cell = |reach, is_idempotent| verdict(code, reach, is_idempotent);
            let row =
                (cell(Reach::Bus, false), cell(Reach::Answered, false), cell(Reach::Unknown, false), cell(Reach::Unknown, true));
            table += &format!("{:<20} {:<10} {:<10} {:<10} {}\n", code_name(code), row.0, row.1, row.2, row.3);
        }
        expect![[r#"
                                 not sent   answered   lost       lost, idempotent
            OK                   delivered  delivered  delivered  delivered
            CANCELLED            away       open       open       again
            UNKNOWN              away       open       open       again
            INVALID_ARGUMENT     rejected   rejected   open       again
            DEADLINE_EXCEEDED    away       open       open       again
            NOT_FOUND            away       rejected   open       again
            ALREADY_EXISTS       away       rejected   open       again
            PERMISSION_DENIED    away       rejected   away       away
            RESOURCE_EXHAUSTED   again      again      open       again
            FAILED_PRECONDITION  away       rejected   open       again
            ABORTED              away       again      open       again
            OUT_OF_RANGE         rejected   rejected   open       again
            UNIMPLEMENTED        away       away       away       away
            INTERNAL             away       open       open       again
            UNAVAILABLE          away       away       open       away
            DATA_LOSS            away       open       open       again
            UNAUTHENTICATED      away       away       away       away
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn who_names_a_time_is_obeyed() {
        let retry_after = Some(Duration::from_secs(3));
        let reply = Reply { status: Status::resource_exhausted("less"), retry_after, reach: Reach::Answered, is_foreign: true };
        let why = "the back office answered RESOURCE_EXHAUSTED".to_owned();
        assert_eq!(judge(reply, false), Judged::Outcome(Outcome::Throttled { retry_after: Duration::from_secs(3), why }));
    }

    #[test]
    fn the_words_of_a_back_office_are_not_repeated_but_its_names_are() {
        let mut details = ErrorDetails::with_error_info("NO_SUCH_ACCOUNT", "bank", [("account".to_owned(), "FR76".to_owned())]);
        details.add_bad_request_violation("order.account", "FR76 is no account");
        let status = Status::with_error_details(Code::InvalidArgument, "FR76 is no account", details);
        let said = words(&status, true);
        assert_eq!(said, "the back office answered INVALID_ARGUMENT, reason NO_SUCH_ACCOUNT, fields order.account");
        assert_eq!(words(&Status::unavailable("ledger is down"), false), "UNAVAILABLE: ledger is down");
    }
}
