//! One trace through the daemon: the caller's context goes on to the back office, the daemon's own spans to a collector.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use passerelle_peers::python::Disputes;
use passerelle_system::{Daemon, World};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

struct Collector(mpsc::UnboundedSender<Span>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans;
        let spans = resources.into_iter().flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans);
        spans.for_each(|span| drop(self.0.send(span)));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<Span>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, spans) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector(sender)));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    (address, spans)
}

fn serve(disputes: &Disputes, telemetry: &str) -> Daemon {
    World::default()
        .copy(&Disputes::contract(), "disputes.proto")
        .settings(&format!(
            "{telemetry}endpoints:\n  disputes: {{ addresses: [\"http://{}\"], contract: {{ proto: [disputes.proto] }} }}\n",
            disputes.address()
        ))
        .serve()
}

/// The `traceparent` that the back office gets when the caller sends one.
fn traceparent_behind(daemon: &Daemon) -> String {
    let address = format!("http://{}", daemon.channels);
    let traceparent = format!("traceparent=00-{TRACE}-{CALLER}-01");
    let run = World::default().run(&["call", "Look", "--address", &address, "--json", "{}", "--metadata", &traceparent]);
    assert!(run.status.success(), "{run:?}");
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let metadata = answer["metadata"].as_array().unwrap();
    let value =
        metadata.iter().find(|metadatum| metadatum["name"] == "traceparent").expect("a traceparent")["value"].as_str().unwrap();
    String::from_utf8(data_encoding::BASE64.decode(value.as_bytes()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_through_the_daemon_and_its_spans_to_the_collector() {
    let Some(disputes) = Disputes::start() else { return };
    let (address, mut spans) = collector().await;
    let mut daemon = serve(&disputes, &format!("telemetry: {{ otlp_endpoint: \"http://{address}\" }}\n"));

    let behind = traceparent_behind(&daemon);
    let [_, trace, parent, _] = behind.split('-').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(trace, TRACE);
    assert_ne!(parent, CALLER, "the back office's parent is a span of the daemon");

    daemon.terminate();
    assert!(daemon.wait().success());
    let mut of_the_call = Vec::new();
    while let Ok(span) = spans.try_recv() {
        if data_encoding::HEXLOWER.encode(&span.trace_id) == TRACE {
            of_the_call.push(span);
        }
    }
    let method = "bank.disputes.v1.CardDisputes/Look";
    let call = of_the_call.iter().find(|span| span.name == method).unwrap_or_else(|| panic!("{of_the_call:?}"));
    assert_eq!(data_encoding::HEXLOWER.encode(&call.parent_span_id), CALLER);
    let waiting = of_the_call.iter().find(|span| span.name == "back_office").unwrap_or_else(|| panic!("{of_the_call:?}"));
    assert_eq!(waiting.parent_span_id, call.span_id);
}

#[test]
fn without_telemetry_the_callers_context_passes_as_it_is() {
    let Some(disputes) = Disputes::start() else { return };
    assert_eq!(traceparent_behind(&serve(&disputes, "")), format!("00-{TRACE}-{CALLER}-01"));
}
