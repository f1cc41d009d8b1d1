//! Outcomes as gRPC statuses: faults of adapters, breaks of HTTP/2, answers that are no gRPC.

use http::{HeaderMap, HeaderName, Response, StatusCode};
use passerelle_adapter::{Fault, Rejection};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::body::Body;
use super::frame::Measure;

/// The trailer that carries the outcome.
pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// A response that is only an outcome ("Trailers-Only" in gRPC over HTTP/2).
pub fn trailers_only(status: Status) -> Response<Body> {
    status.into_http::<()>().map(|()| Body::Empty)
}

/// Messages that have to be read must not be compressed; `what` says which those are.
pub(super) fn compressed(what: &str) -> Status {
    let mut status = Status::unimplemented(what);
    // gRPC, "Compression": the refusal says what is accepted.
    status.metadata_mut().insert("grpc-accept-encoding", MetadataValue::from_static("identity"));
    status
}

/// The outcome as trailers, after messages were sent.
pub(super) fn trailers(status: &Status) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(3);
    // The text is percent-encoded by tonic, so this cannot be refused; a bare code is still an outcome.
    if status.add_header(&mut headers).is_err() {
        headers.insert(GRPC_STATUS, http::HeaderValue::from(status.code() as i32));
    }
    headers
}

/// The outcome that trailers (or the headers of a trailers-only response) carry.
pub(super) fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get(GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}

/// What an adapter's fault is to the caller.
pub(super) fn of_fault(fault: Fault) -> Status {
    match fault {
        Fault::Rejected { reason, message } => Status::new(of_rejection(reason), message),
        Fault::Throttled { retry_after, message } => {
            Status::with_error_details(Code::ResourceExhausted, message, ErrorDetails::with_retry_info(Some(retry_after)))
        }
        Fault::Unavailable { retry_after: Some(after), message } => {
            Status::with_error_details(Code::Unavailable, message, ErrorDetails::with_retry_info(Some(after)))
        }
        Fault::Unavailable { retry_after: None, message } => Status::unavailable(message),
        Fault::Unauthenticated { message } => Status::unauthenticated(message),
        Fault::DeadlineExceeded { message } => Status::deadline_exceeded(message),
        Fault::Unknown { message } => Status::unknown(message),
        Fault::Unimplemented { message } => Status::unimplemented(message),
    }
}

fn of_rejection(reason: Rejection) -> Code {
    match reason {
        Rejection::Invalid => Code::InvalidArgument,
        Rejection::Conflict => Code::Aborted,
        Rejection::NotFound => Code::NotFound,
        Rejection::Denied => Code::PermissionDenied,
        Rejection::Precondition => Code::FailedPrecondition,
    }
}

/// What a broken HTTP/2 exchange with a back office is to the caller (gRPC over HTTP/2, "Errors").
pub(super) fn of_break(endpoint: &str, error: &h2::Error) -> Status {
    let code = match error.reason().filter(|_| error.is_reset()) {
        Some(h2::Reason::REFUSED_STREAM) => Code::Unavailable,
        Some(h2::Reason::CANCEL) => Code::Cancelled,
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(h2::Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        Some(_) => Code::Internal,
        // The whole connection is lost: nothing of this call is wrong.
        None => Code::Unavailable,
    };
    Status::new(code, format!("back office {endpoint} broke the call off: {error}"))
}

/// What an answer that ends without an outcome is to the caller.
pub(super) fn of_silence(endpoint: &str) -> Status {
    Status::internal(format!("back office {endpoint} ended its answer without a status"))
}

/// What an outcome of OK is to the caller whose answer is not whole.
pub(super) fn of_untrue(endpoint: &str, answer: &Measure) -> Status {
    let what = match (answer.is_between_messages(), answer.messages()) {
        (false, _) => "in the middle of a message".to_owned(),
        (true, 0) => "without a message".to_owned(),
        (true, messages) => format!("with {messages} messages, where one is due"),
    };
    Status::internal(format!("back office {endpoint} answered OK {what}"))
}

/// What an HTTP answer without gRPC is to the caller (gRPC, "HTTP to gRPC status code mapping").
pub(super) fn of_http(endpoint: &str, http: StatusCode) -> Status {
    let code = match http.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("back office {endpoint} answered HTTP {} without gRPC", http.as_u16()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_fault_class_has_its_status() {
        let text = || "why".to_owned();
        let second = Duration::from_secs(1);
        let cases = [
            (Fault::rejected(Rejection::Invalid, "why"), Code::InvalidArgument),
            (Fault::rejected(Rejection::Conflict, "why"), Code::Aborted),
            (Fault::rejected(Rejection::NotFound, "why"), Code::NotFound),
            (Fault::rejected(Rejection::Denied, "why"), Code::PermissionDenied),
            (Fault::rejected(Rejection::Precondition, "why"), Code::FailedPrecondition),
            (Fault::Throttled { retry_after: second, message: text() }, Code::ResourceExhausted),
            (Fault::Unavailable { retry_after: Some(second), message: text() }, Code::Unavailable),
            (Fault::unavailable("why"), Code::Unavailable),
            (Fault::Unauthenticated { message: text() }, Code::Unauthenticated),
            (Fault::DeadlineExceeded { message: text() }, Code::DeadlineExceeded),
            (Fault::unknown("why"), Code::Unknown),
            (Fault::Unimplemented { message: text() }, Code::Unimplemented),
        ];
        for (fault, code) in cases {
            let timed = matches!(fault, Fault::Throttled { .. } | Fault::Unavailable { retry_after: Some(_), .. });
            let status = of_fault(fault);
            assert_eq!((status.code(), status.message()), (code, "why"));
            let retry = status.get_details_retry_info().and_then(|info| info.retry_delay);
            assert_eq!(retry, timed.then_some(second));
        }
    }

    #[test]
    fn an_outcome_written_as_trailers_is_read_back() {
        let headers = trailers(&Status::not_found("no such café"));
        assert_eq!(code(&headers), Some(Code::NotFound));
        assert_eq!(headers["grpc-message"], "no%20such%20caf%C3%A9");
        assert_eq!(code(&HeaderMap::new()), None);
    }
}
