//! The daemon under load, watched by strace: no acknowledgement leaves before the disk has what it acknowledges.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::stream::unfold;
use hyper_util::rt::TokioIo;
use passerelle_peers::strace;
use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::{PublishRequest, SubscribeRequest};
use passerelle_system::World;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tonic::transport::{Channel, Endpoint};

use super::order::{check, marker};
use super::{numbered, trace};

const PUBLISHERS: usize = 3;
const MESSAGES: u64 = 300;
const IN_FLIGHT: usize = 16;
/// Calls that write to the disk, and those by which bytes leave.
const CALLS: &str = "pwrite64,pwritev,write,writev,sendto,sendmsg,sendmmsg,fdatasync,fsync";
/// More than any batch of this load.
const BUFFER_BYTES: usize = 256 * 1024;

#[tokio::test]
async fn no_acknowledgement_leaves_before_its_fdatasync_has_returned() {
    let world = World::default().settings("journal: { segment_mib: 4 }\n");
    let trace = world.path("trace");
    let Some(command) = strace::command(CALLS, BUFFER_BYTES, &trace) else { return };
    let daemon = world.serve_under(command);
    let publishers: Vec<_> = (0..PUBLISHERS).map(|_| tokio::spawn(publish(daemon.channels))).collect();
    let mut ports = Vec::new();
    for publisher in publishers {
        ports.push(publisher.await.unwrap());
    }
    let text = std::fs::read_to_string(&trace).unwrap();
    let proven = check(&trace::read(&text)).unwrap_or_else(|wrong| {
        // Kept, so that it can be looked at.
        std::mem::forget(daemon);
        panic!("{wrong}; the trace is {}", trace.display())
    });
    assert_eq!(proven.messages, ports.into_iter().map(|port| (port, MESSAGES)).collect());
    assert!(proven.acknowledgements >= PUBLISHERS * 10, "so few show nothing: {proven:?}");
}

/// Publishes over a connection of its own; returns its port, which is in each of its messages.
async fn publish(server: SocketAddr) -> u16 {
    let (mut client, port) = connect(server).await;
    let window = Arc::new(Semaphore::new(IN_FLIGHT));
    let opened = window.clone();
    let requests = unfold(0, move |number| {
        let window = opened.clone();
        async move {
            if number == MESSAGES {
                return None;
            }
            window.acquire().await.unwrap().forget();
            Some((numbered(port.into(), number, marker(port, number).into_bytes()), number + 1))
        }
    });
    let mut answers = client.publish_stream(requests).await.unwrap().into_inner();
    let mut acknowledged = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        window.add_permits((answer.acknowledged - acknowledged) as usize);
        acknowledged = answer.acknowledged;
    }
    assert_eq!(acknowledged, MESSAGES);
    // Whatever was said before this is answered has been written down by strace.
    let answered = client.publish(PublishRequest::default()).await;
    assert!(answered.is_err());
    let _ = client
        .subscribe(SubscribeRequest { stop_at_end: true, ..Default::default() })
        .await
        .unwrap()
        .into_inner()
        .message()
        .await;
    port
}

async fn connect(server: SocketAddr) -> (JournalClient<Channel>, u16) {
    let stream = TcpStream::connect(server).await.unwrap();
    let port = stream.local_addr().unwrap().port();
    let mut stream = Some(TokioIo::new(stream));
    let connector = tower::service_fn(move |_| {
        let stream = stream.take().ok_or_else(|| std::io::Error::other("connected once only"));
        async move { stream }
    });
    let channel = Endpoint::from_static("http://passerelle").connect_with_connector(connector).await.unwrap();
    (JournalClient::new(channel), port)
}
