//! One operation, ready to be called: message to record, host, refusal or record to message.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::{Context, Fault, Rejection};
use passerelle_copybook::Codec;
use tokio::time::Instant;
use tracing::{Instrument, debug_span, field};

use crate::rules::ErrorRules;
use crate::transport::{Request, Transport};

/// An operation with its compiled plans.
pub(crate) struct Operation {
    pub(crate) trancode: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) idempotent: bool,
    pub(crate) request: Codec,
    pub(crate) response: Codec,
    pub(crate) errors: ErrorRules,
    pub(crate) transport: Arc<dyn Transport>,
}

impl Operation {
    /// Carries one call. Its three parts are spans: `encode`, `host`, `decode`; none of them shows what is in a record.
    pub(crate) async fn call(&self, message: Bytes, context: &Context) -> Result<Bytes, Fault> {
        let time = context.time_left().map_or(self.timeout, |left| left.min(self.timeout));
        if time.is_zero() {
            return Err(Fault::DeadlineExceeded { message: "the deadline had passed before the host was asked".into() });
        }
        let deadline = Instant::now() + time;

        let record = debug_span!(target: "adapter_mainframe", "encode").in_scope(|| self.request.encode(&message));
        let record = record.map_err(|error| Fault::rejected(Rejection::Invalid, error.to_string()))?;
        let answer = self.exchange(record.into(), deadline).await?;

        debug_span!(target: "adapter_mainframe", "decode", response_bytes = answer.len()).in_scope(|| {
            let unreadable = |error| Fault::unknown(format!("the host's answer cannot be read: {error}"));
            match self.errors.judge(&answer).map_err(unreadable)? {
                Some(refusal) => Err(refusal),
                None => Ok(self.response.decode(&answer).map_err(unreadable)?.into()),
            }
        })
    }

    async fn exchange(&self, record: Bytes, deadline: Instant) -> Result<Bytes, Fault> {
        let span = debug_span!(
            target: "adapter_mainframe",
            "host",
            transport = self.transport.name(),
            trancode = self.trancode.as_deref(),
            request_bytes = record.len(),
            address = field::Empty,
            response_bytes = field::Empty,
        );
        let request = Request { trancode: self.trancode.clone(), record, deadline, idempotent: self.idempotent };
        let exchange = async {
            let answer = self.transport.exchange(&request).await;
            match &answer {
                Ok(answer) => _ = tracing::Span::current().record("response_bytes", answer.len()),
                Err(fault) => tracing::debug!(target: "adapter_mainframe", %fault, "the exchange failed"),
            }
            answer
        };
        exchange.instrument(span).await
    }
}
