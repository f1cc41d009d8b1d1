//! The journal through the real daemon: published, followed, killed, and watched by strace.

mod commands;
mod damage;
mod disk;
mod kill;
mod order;
mod retention;
mod strace;
mod trace;

use std::net::SocketAddr;

use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::{Message, PublishStreamRequest};
use tonic::transport::{Channel, Endpoint};

/// A client of the journal there.
async fn client(server: SocketAddr) -> JournalClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{server}")).unwrap();
    JournalClient::new(endpoint.connect().await.unwrap()).max_decoding_message_size(64 << 20)
}

/// A message that is known by the name of its stream and its number there.
fn numbered(stream: usize, number: u64, content: Vec<u8>) -> PublishStreamRequest {
    let message = Message {
        id: number.to_string(),
        source: format!("/stream/{stream}"),
        r#type: "test.numbered".to_owned(),
        data: content.into(),
        ..Message::default()
    };
    PublishStreamRequest { message: Some(message) }
}
