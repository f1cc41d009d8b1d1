//! What is told of every call: one span, one duration, one count in flight.
//!
//! Names follow OpenTelemetry's semantic conventions for RPC. Labels are bounded: methods are those of registered
//! contracts, everything else is `_OTHER`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::HeaderMap;
use metrics::{Histogram, Unit};
use tonic::Code;
use tracing::Span;

use super::policy::Admission;

/// Seconds from the call's headers to the last byte of its answer.
pub const CALL_DURATION: &str = "rpc_server_call_duration_seconds";
/// Seconds by which callers heard later than at their deadline that it had passed.
pub const DEADLINE_EXCESS: &str = "passerelle_deadline_excess_seconds";
/// Calls that are being carried now.
pub const CALLS_IN_FLIGHT: &str = "passerelle_calls_in_flight";
/// Connections to back offices that were opened.
pub const CONNECTIONS_OPENED: &str = "passerelle_endpoint_connections_opened_total";
/// Attempts to connect to a back office that failed.
pub const CONNECT_FAILURES: &str = "passerelle_endpoint_connect_failures_total";

/// Servers of a back office that do worse than the others and get no calls.
pub const SERVERS_EJECTED: &str = "passerelle_endpoint_servers_ejected";
/// How often a server did worse than the others and got no calls for a while.
pub const SERVERS_EJECTIONS: &str = "passerelle_endpoint_server_ejections_total";

/// Calls that wait for a place or a token of their back office.
pub const CALLS_WAITING: &str = "passerelle_calls_waiting";
/// Seconds that calls waited for their back office, of those that did not go to it at once.
pub const QUEUE_WAIT: &str = "passerelle_queue_wait_seconds";
/// Calls that were turned away before the back office saw them.
pub const CALLS_SHED: &str = "passerelle_calls_shed_total";
/// Calls that a channel sent to a back office.
pub const CHANNEL_CALLS: &str = "passerelle_channel_calls_total";
/// What a channel's calls cost a back office.
pub const CHANNEL_COST: &str = "passerelle_channel_cost_total";
/// Whether a back office fails and is left alone: 1, else 0.
pub const BREAKER_OPEN: &str = "passerelle_breaker_open";
/// How often a back office failed and was left alone.
pub const BREAKER_OPENED: &str = "passerelle_breaker_opened_total";

/// Reads that share their calls, by how they got their answer.
pub const READS: &str = "passerelle_reads_total";

/// Further attempts of reads that were slow.
pub const HEDGES: &str = "passerelle_hedges_total";

/// Every metric of the call path with its unit and meaning, for the recorder and the reference page.
pub const METRICS: [(&str, Unit, &str); 16] = [
    (CALL_DURATION, Unit::Seconds, "time from a call's headers to the end of its answer, by method, endpoint and status code"),
    (DEADLINE_EXCESS, Unit::Seconds, "time from a call's deadline to its outcome, of those that did not end before, by endpoint"),
    (CALLS_IN_FLIGHT, Unit::Count, "calls being carried now, by endpoint"),
    (CONNECTIONS_OPENED, Unit::Count, "connections opened to a back office, by endpoint"),
    (CONNECT_FAILURES, Unit::Count, "failed attempts to connect to a back office, by endpoint"),
    (SERVERS_EJECTED, Unit::Count, "servers that do worse than the others and get no calls, by endpoint"),
    (SERVERS_EJECTIONS, Unit::Count, "times that a server did worse than the others and got no calls for a while, by endpoint"),
    (CALLS_WAITING, Unit::Count, "calls that wait for a place or a token of their back office, by endpoint"),
    (
        QUEUE_WAIT,
        Unit::Seconds,
        "time that calls waited for their back office, of those that did not go to it at once, by endpoint",
    ),
    (CALLS_SHED, Unit::Count, "calls turned away before the back office saw them, by endpoint, channel and reason"),
    (CHANNEL_CALLS, Unit::Count, "calls that went to a back office, by endpoint and channel"),
    (CHANNEL_COST, Unit::Count, "costs of the calls that went to a back office, by endpoint and channel"),
    (BREAKER_OPEN, Unit::Count, "1 while a back office fails and is left alone or probed, else 0, by endpoint"),
    (
        READS,
        Unit::Count,
        "reads that may share a call, by endpoint and how they got their answer: asked (of the back office), shared (with a call under way), kept",
    ),
    (
        HEDGES,
        Unit::Count,
        "further attempts of reads that were slow, by endpoint and what became of them: sent, won (the first good answer), skipped (no room)",
    ),
    (BREAKER_OPENED, Unit::Count, "times that a back office failed and was left alone, by endpoint"),
];

/// Bounds of the duration histogram, in seconds (OpenTelemetry's advice for RPC, and two finer ones).
pub const DURATION_BUCKETS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];

/// Bounds of the histogram of what is over a deadline, in seconds: what is over the fourth is too much.
pub const EXCESS_BUCKETS: [f64; 8] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.5];

/// How trace context travels; the binary knows OpenTelemetry, the bus does not.
#[derive(Debug, Clone, Copy)]
pub struct Propagation {
    /// Makes the span a child of what the headers say.
    pub extract: fn(&Span, &HeaderMap),
    /// Writes the span's context into the headers of the next hop.
    pub inject: fn(&Span, &mut HeaderMap),
}

/// The measuring points of one method, made once a route.
#[derive(Debug)]
pub(super) struct Meter {
    method: String,
    endpoint: String,
    durations: [OnceLock<Histogram>; 17],
}

impl Meter {
    pub(super) fn new(method: &str, endpoint: &str) -> Self {
        Self { method: method.to_owned(), endpoint: endpoint.to_owned(), durations: Default::default() }
    }

    fn record(&self, code: Code, duration: Duration) {
        let durations = self.durations[code as usize].get_or_init(|| {
            metrics::histogram!(
                CALL_DURATION,
                "rpc_method" => self.method.clone(),
                "passerelle_endpoint" => self.endpoint.clone(),
                "rpc_response_status_code" => code_name(code),
            )
        });
        durations.record(duration.as_secs_f64());
    }
}

/// Counts a call of a method that nobody serves, under one name for all of them: callers choose the names.
pub(super) fn unknown_method() {
    let histogram = metrics::histogram!(
        CALL_DURATION,
        "rpc_method" => "_OTHER",
        "passerelle_endpoint" => "none",
        "rpc_response_status_code" => code_name(Code::Unimplemented),
    );
    histogram.record(0.0);
}

/// The status code's name as gRPC writes it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Counts the calls of an endpoint that are being carried.
#[derive(Debug)]
pub(super) struct InFlight {
    count: AtomicUsize,
    gauge: metrics::Gauge,
}

impl InFlight {
    pub(super) fn new(endpoint: &str) -> Self {
        Self { count: AtomicUsize::new(0), gauge: metrics::gauge!(CALLS_IN_FLIGHT, "passerelle_endpoint" => endpoint.to_owned()) }
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

/// One call from its start to its end; dropped before an outcome is known, the caller has gone away.
#[derive(Debug)]
pub(super) struct Observed {
    route: std::sync::Arc<super::Route>,
    started: Instant,
    deadline: Option<Instant>,
    outcome: Option<Code>,
    /// Nothing until the back office's policy has let the call in.
    admission: Option<Admission>,
    span: Span,
    /// Whether it is a call of the bus's own, behind those of callers, which are counted themselves.
    of_bus: bool,
}

impl Observed {
    pub(super) fn start(route: std::sync::Arc<super::Route>, started: Instant, span: Span) -> Self {
        let in_flight = route.endpoint.in_flight();
        in_flight.count.fetch_add(1, Ordering::Relaxed);
        in_flight.gauge.increment(1);
        Self { route, started, deadline: None, outcome: None, admission: None, span, of_bus: false }
    }

    /// A call that the bus makes for several callers.
    pub(super) fn of_bus(route: std::sync::Arc<super::Route>, started: Instant) -> Self {
        Self { route, started, deadline: None, outcome: None, admission: None, span: Span::none(), of_bus: true }
    }

    /// When the call came.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// The call shall have an outcome by then.
    pub(super) fn due(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// How the call was let in, if it was.
    pub(super) fn admission(&self) -> Option<&Admission> {
        self.admission.as_ref()
    }

    /// The call goes to the back office.
    pub(super) fn admitted(&mut self, admission: Admission) {
        self.admission = Some(admission);
    }

    /// Hands the place at the back office over to a call of the bus's own, made for this one.
    pub(super) fn hand_over(&mut self) -> Self {
        let mut attempt = Self::of_bus(self.route.clone(), self.started);
        attempt.admission = self.admission.take();
        attempt
    }

    /// The name of the endpoint that carries the call.
    pub(super) fn endpoint(&self) -> &str {
        self.route.endpoint.name()
    }

    /// Whether one message each way is exchanged.
    pub(super) fn is_unary(&self) -> bool {
        self.route.streaming.is_unary()
    }

    /// Whether an answer that went well is exactly one message.
    pub(super) fn expects_one_message(&self) -> bool {
        !self.route.streaming.server
    }

    /// The outcome is known; the first one counts.
    pub(super) fn ended(&mut self, code: Code) {
        if self.outcome.is_some() {
            return;
        }
        self.outcome = Some(code);
        let deadline = self.deadline.filter(|_| code == Code::DeadlineExceeded);
        if let Some(late) = deadline.and_then(|at| Instant::now().checked_duration_since(at)) {
            let endpoint = self.endpoint().to_owned();
            metrics::histogram!(DEADLINE_EXCESS, "passerelle_endpoint" => endpoint).record(late.as_secs_f64());
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let code = self.outcome.unwrap_or(Code::Cancelled);
        let now = Instant::now();
        if !self.of_bus {
            let in_flight = self.route.endpoint.in_flight();
            in_flight.count.fetch_sub(1, Ordering::Relaxed);
            in_flight.gauge.decrement(1);
            self.route.meter.record(code, now.saturating_duration_since(self.started));
        }
        if let Some(admission) = &self.admission {
            self.route.endpoint.policy.ended(&self.route, admission, now, self.outcome);
        }
        if !self.span.is_disabled() {
            self.span.record("rpc.response.status_code", code_name(code));
            if matches!(
                code,
                Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DataLoss
            ) {
                self.span.record("otel.status_code", "ERROR");
            }
        }
    }
}
