//! A consumer, as a client would write it.

use passerelle_proto::bus::v1::deliveries_client::DeliveriesClient;
use passerelle_proto::bus::v1::undone::Next;
use passerelle_proto::bus::v1::{ConsumeRequest, ConsumeResponse, Consumed, Reject, Retry, Undone};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Status, Streaming};

/// One stream of a delivery.
pub(super) struct Consumer {
    requests: mpsc::UnboundedSender<ConsumeRequest>,
    responses: Streaming<ConsumeResponse>,
}

impl Consumer {
    pub(super) async fn join(address: &str, delivery: &str, credit: u32) -> Result<Self, Status> {
        let channel = tonic::transport::Endpoint::from_shared(address.to_owned()).unwrap().connect().await;
        let mut client = DeliveriesClient::new(channel.map_err(|error| Status::unavailable(error.to_string()))?);
        let (requests, stream) = mpsc::unbounded_channel();
        let first = ConsumeRequest { delivery: delivery.to_owned(), credit, ..ConsumeRequest::default() };
        requests.send(first).unwrap();
        let responses = client.consume(UnboundedReceiverStream::new(stream)).await?.into_inner();
        Ok(Self { requests, responses })
    }

    /// What comes next.
    pub(super) async fn next(&mut self) -> Result<Vec<Consumed>, Status> {
        let response = self.responses.message().await?;
        response.map(|response| response.messages).ok_or_else(|| Status::unavailable("the stream ended"))
    }

    /// Exactly one, of a consumer with a credit of one.
    pub(super) async fn one(&mut self) -> Consumed {
        let [consumed] = self.next().await.unwrap().try_into().expect("as many as the credit");
        consumed
    }

    /// Messages are dealt with; as many may come.
    pub(super) fn done(&self, tags: Vec<u64>) {
        self.say(ConsumeRequest { credit: tags.len() as u32, done: tags, ..ConsumeRequest::default() });
    }

    pub(super) fn reject(&self, tag: u64, why: &str) {
        self.undone(tag, why, Next::Reject(Reject {}));
    }

    pub(super) fn retry(&self, tag: u64, why: &str) {
        self.undone(tag, why, Next::Retry(Retry::default()));
    }

    fn undone(&self, tag: u64, why: &str, next: Next) {
        let undone = vec![Undone { tag, why: why.to_owned(), next: Some(next) }];
        self.say(ConsumeRequest { credit: 1, undone, ..ConsumeRequest::default() });
    }

    /// Says no more, and waits until all that was said is heard.
    pub(super) async fn leave(self) {
        let Self { requests, mut responses } = self;
        drop(requests);
        while let Ok(Some(_)) = responses.message().await {}
    }

    pub(super) fn say(&self, request: ConsumeRequest) {
        // Whoever is gone is noticed by what does not come.
        let _ = self.requests.send(request);
    }
}
