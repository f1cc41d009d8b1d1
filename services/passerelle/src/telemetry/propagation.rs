//! W3C trace context (<https://www.w3.org/TR/trace-context/>) between headers and spans.
//!
//! With tracing off both functions leave everything as it is: a caller's own context then passes through untouched.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes `span` a child of the span that the caller named in `traceparent`. Call it before the span is entered.
pub fn extract_parent(span: &Span, headers: &HeaderMap) {
    if !headers.contains_key("traceparent") {
        return;
    }
    let context = TraceContextPropagator::new().extract(&FromHeaders(headers));
    if context.span().span_context().is_valid() {
        // Fails when no tracer is installed, or when the span has begun: then there is nothing to set.
        let _ = span.set_parent(context);
    }
}

/// Writes `span` into `headers` as the parent of what is called next.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    if context.span().span_context().is_valid() {
        // A state that belongs to another parent must not stay.
        headers.remove("tracestate");
        TraceContextPropagator::new().inject_context(&context, &mut IntoHeaders(headers));
    }
}

struct FromHeaders<'a>(&'a HeaderMap);

impl Extractor for FromHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct IntoHeaders<'a>(&'a mut HeaderMap);

impl Injector for IntoHeaders<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value))
            && !value.is_empty()
        {
            self.0.insert(name, value);
        }
    }
}
