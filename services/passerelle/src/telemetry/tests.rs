//! Traces, seen by a real OTLP receiver.

use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderMap;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use super::{build, extract_parent, inject};
use crate::settings::{Log, Telemetry};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const PARENT_UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
const LIMIT: Duration = Duration::from_secs(10);

struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    let service = TraceServiceServer::new(Collector(sender));
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
    (address, receiver)
}

fn to(address: SocketAddr) -> Telemetry {
    Telemetry {
        otlp_endpoint: Some(format!("http://{address}").parse().unwrap()),
        service_name: "tested".to_owned(),
        ..Telemetry::default()
    }
}

fn headers(traceparent: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(http::header::HeaderName::from_static("traceparent"), traceparent.parse().unwrap())])
}

/// Runs one traced call and returns the headers that would go to the back office.
async fn one_call(telemetry: &Telemetry, caller: &HeaderMap) -> HeaderMap {
    let (subscriber, running) = build(&Log::default(), telemetry).unwrap();
    let onward = tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!(target: "passerelle", "call", rpc.method = "Echo");
        extract_parent(&span, caller);
        let _foreign = tracing::info_span!(target: "h2", "frame").entered();
        let mut onward = caller.clone();
        span.in_scope(|| inject(&span, &mut onward));
        onward
    });
    running.flush(LIMIT).await;
    onward
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_reaches_the_collector_as_a_child_of_the_caller() {
    let (address, mut received) = collector().await;
    let onward = one_call(&to(address), &headers(PARENT)).await;

    let batch = received.try_recv().expect("flush waits until the collector has it");
    let resource = batch.resource_spans[0].resource.as_ref().unwrap();
    let attribute = |name: &str| {
        let found = resource.attributes.iter().find(|attribute| attribute.key == name)?;
        match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.clone()),
            _ => None,
        }
    };
    assert_eq!(attribute("service.name").as_deref(), Some("tested"));
    assert_eq!(attribute("service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    let spans: Vec<_> = batch.resource_spans[0].scope_spans.iter().flat_map(|scope| &scope.spans).collect();
    assert_eq!(spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["call"], "spans of other crates are not traced");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&spans[0].trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&spans[0].parent_span_id), "b7ad6b7169203331");
    let expected = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", hex(&spans[0].span_id));
    assert_eq!(onward["traceparent"], expected.as_str(), "the back office is a child of our span");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_samples_nothing_is_followed() {
    let (address, mut received) = collector().await;
    let onward = one_call(&to(address), &headers(PARENT_UNSAMPLED)).await;
    assert!(received.try_recv().is_err());
    assert!(onward["traceparent"].to_str().unwrap().ends_with("-00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_begins_here_when_the_caller_brings_none() {
    let (address, mut received) = collector().await;
    let onward = one_call(&to(address), &HeaderMap::new()).await;
    assert!(received.try_recv().is_ok());
    assert!(onward["traceparent"].to_str().unwrap().ends_with("-01"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_the_callers_context_passes_untouched() {
    let onward = one_call(&Telemetry::default(), &headers(PARENT)).await;
    assert_eq!(onward, headers(PARENT));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_traceparent_begins_a_new_trace() {
    let (address, mut received) = collector().await;
    for broken in ["", "00-zz-1-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01"] {
        let onward = one_call(&to(address), &headers(broken)).await;
        assert!(received.try_recv().is_ok(), "{broken:?}");
        assert!(onward["traceparent"].to_str().unwrap().len() == 55);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_holds_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let before = std::time::Instant::now();
    one_call(&to(nobody), &headers(PARENT)).await;
    assert!(before.elapsed() < LIMIT + Duration::from_secs(5));
}
