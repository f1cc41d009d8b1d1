//! A call's status for people: the code by name, the message, and the details that can be read.

use std::fmt::Write;

use passerelle_bus::call::observe::code_name;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use tonic::Status;

use crate::command::connect;

/// Details shown of one status.
const MAX_DETAILS: usize = 20;

/// The status over one line, and one for each detail. Details are of `google.rpc` or of the method's own types.
pub(super) fn text(status: &Status, pool: &DescriptorPool) -> String {
    let mut text = format!("{}: {}", code_name(status.code()), connect::reasons(status));
    let details = match tonic_types::pb::Status::decode(status.details()) {
        Ok(details) => details.details,
        Err(_) => {
            let _ = write!(text, "\n  {} bytes of details that are no google.rpc.Status", status.details().len());
            return text;
        }
    };
    let known = DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET).unwrap_or_default();
    for any in details.iter().take(MAX_DETAILS) {
        let name = any.type_url.rsplit('/').next().unwrap_or_default();
        let described = pool.get_message_by_name(name).or_else(|| known.get_message_by_name(name));
        let decoded = described.and_then(|descriptor| DynamicMessage::decode(descriptor, any.value.as_slice()).ok());
        match decoded.and_then(|message| serde_json::to_string(&message).ok()) {
            Some(json) => {
                let _ = write!(text, "\n  {name} {json}");
            }
            None => {
                let _ = write!(text, "\n  {name} ({} bytes, not known here)", any.value.len());
            }
        }
    }
    if details.len() > MAX_DETAILS {
        let _ = write!(text, "\n  and {} more", details.len() - MAX_DETAILS);
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use tonic::Code;
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn said(status: &Status, expected: Expect) {
        expected.assert_eq(&text(status, &DescriptorPool::new()));
    }

    #[test]
    fn the_details_of_google_rpc_are_read() {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("amount.currency", "is unknown");
        details.set_retry_info(Some(std::time::Duration::from_millis(1500)));
        said(
            &Status::with_error_details(Code::InvalidArgument, "the request is wrong", details),
            expect![[r#"
                INVALID_ARGUMENT: the request is wrong
                  google.rpc.RetryInfo {"retryDelay":"1.500s"}
                  google.rpc.BadRequest {"fieldViolations":[{"field":"amount.currency","description":"is unknown"}]}"#]],
        );
    }

    #[test]
    fn details_that_cannot_be_read_are_counted() {
        said(&Status::not_found("no such account"), expect!["NOT_FOUND: no such account"]);
        let any = prost_types::Any { type_url: "type.googleapis.com/bank.Fault".to_owned(), value: vec![8, 1] };
        let strange = tonic_types::pb::Status { code: 9, message: String::new(), details: vec![any] };
        said(
            &Status::with_details(Code::FailedPrecondition, "closed", strange.encode_to_vec().into()),
            expect![[r#"
                FAILED_PRECONDITION: closed
                  bank.Fault (2 bytes, not known here)"#]],
        );
        said(
            &Status::with_details(Code::Internal, "oops", vec![0xff, 0xff].into()),
            expect![[r#"
                INTERNAL: oops
                  2 bytes of details that are no google.rpc.Status"#]],
        );
    }
}
