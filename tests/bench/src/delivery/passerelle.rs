//! Passerelle from end to end, as its users have it: tonic clients, one that publishes a stream, one that takes a delivery.

use std::net::SocketAddr;

use passerelle_proto::bus::v1::deliveries_client::DeliveriesClient;
use passerelle_proto::bus::v1::delivery_operations_client::DeliveryOperationsClient;
use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::{ConsumeRequest, ListDeliveriesRequest, Message, PublishStreamRequest};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::AHEAD;
use super::road::{CUSTOMERS, Road};
use crate::durable::grpc::{Failure, channel};

/// Name of the delivery.
const DELIVERY: &str = "bench";

/// The settings that it needs; all else is as it comes.
pub(super) fn settings() -> String {
    format!("deliveries: {{ {DELIVERY}: {{ limits: {{ under_way: {AHEAD} }} }} }}\n")
}

/// Loads it.
pub(super) async fn passerelle(address: SocketAddr, source: &str, road: &Road) -> Result<(), String> {
    let loaded = async { tokio::try_join!(publish(address, source, road), take(address, road)).map(drop) };
    loaded.await.map_err(|error: Failure| error.to_string())
}

/// Messages that were published and are not settled.
pub(super) async fn waiting(admin: SocketAddr) -> Result<u64, String> {
    let count = async {
        let listed = DeliveryOperationsClient::new(channel(admin).await?).list_deliveries(ListDeliveriesRequest {}).await?;
        Ok(listed.into_inner().deliveries.iter().map(|delivery| delivery.waiting + delivery.unread).sum())
    };
    count.await.map_err(|error: Failure| error.to_string())
}

async fn publish(address: SocketAddr, source: &str, road: &Road) -> Result<(), Failure> {
    let (messages, stream) = mpsc::channel(AHEAD as usize);
    let mut client = JournalClient::new(channel(address).await?);
    let mut published = 0;
    let publish = async {
        while let Some(contents) = road.next().await {
            for (number, content) in contents {
                let message = Message {
                    id: number.to_string(),
                    source: source.to_owned(),
                    r#type: "bench.message".to_owned(),
                    customer: (number % CUSTOMERS).to_string(),
                    data: content.into(),
                    ..Message::default()
                };
                messages.send(PublishStreamRequest { message: Some(message) }).await?;
                published += 1;
            }
        }
        drop(messages);
        Ok::<_, Failure>(())
    };
    let confirmed = async {
        let mut answers = client.publish_stream(ReceiverStream::new(stream)).await?.into_inner();
        let mut acknowledged = 0;
        while let Some(answer) = answers.message().await? {
            acknowledged = answer.acknowledged;
        }
        Ok::<_, Failure>(acknowledged)
    };
    let ((), confirmed) = tokio::try_join!(publish, confirmed)?;
    if confirmed == published { Ok(()) } else { Err(format!("{published} published, {confirmed} acknowledged").into()) }
}

async fn take(address: SocketAddr, road: &Road) -> Result<(), Failure> {
    let (requests, stream) = mpsc::channel(AHEAD as usize);
    let first = ConsumeRequest { delivery: DELIVERY.to_owned(), credit: AHEAD.into(), ..ConsumeRequest::default() };
    requests.send(first).await?;
    let mut client = DeliveriesClient::new(channel(address).await?);
    let mut responses = client.consume(ReceiverStream::new(stream)).await?.into_inner();
    let over = road.over();
    tokio::pin!(over);
    loop {
        let response = tokio::select! {
            () = &mut over => break,
            response = responses.message() => response?.ok_or("the bus ended the stream")?,
        };
        let mut done = Vec::with_capacity(response.messages.len());
        for consumed in response.messages {
            road.take(&consumed.message.unwrap_or_default().data)?;
            done.push(consumed.tag);
        }
        requests.send(ConsumeRequest { credit: done.len() as u32, done, ..ConsumeRequest::default() }).await?;
    }
    // The bus reads what was said, then ends the stream.
    drop(requests);
    while responses.message().await?.is_some() {}
    Ok(())
}
