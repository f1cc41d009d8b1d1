//! Deliveries through the real daemon: competing consumers, dead letters, kill -9.

mod consumer;
mod dead;
mod isolation;
mod kill;
mod ledger;
mod method;
mod twenty;

use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::{Message, PublishStreamRequest};
use passerelle_system::Daemon;
use tonic::transport::Channel;

async fn publisher(daemon: &Daemon) -> JournalClient<Channel> {
    JournalClient::connect(daemon.address()).await.unwrap()
}

/// Message number `number`, of one of that many customers.
fn numbered(number: u64, customers: u64) -> Message {
    Message {
        id: number.to_string(),
        source: "/shop".to_owned(),
        r#type: "shop.ordered".to_owned(),
        customer: format!("customer-{}", number % customers),
        data: vec![b'x'; 200].into(),
        ..Message::default()
    }
}

/// Publishes messages, and waits until they are on disk.
async fn publish(daemon: &Daemon, messages: impl Iterator<Item = Message>) {
    let requests: Vec<_> = messages.map(|message| PublishStreamRequest { message: Some(message) }).collect();
    let count = requests.len() as u64;
    let mut client = publisher(daemon).await;
    let mut acknowledged = client.publish_stream(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut last = 0;
    while let Some(response) = acknowledged.message().await.unwrap() {
        last = response.acknowledged;
    }
    assert_eq!(last, count);
}
