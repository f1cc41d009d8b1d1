//! The little ledger tells of what was posted: what an adapter does that receives, and bugs of it.

use std::sync::{Arc, Mutex};

use passerelle_proto::adapter::v1::{OpenRequest, OpenResponse, Received, open_request};
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};

use super::wire_bugs::WireBug;

/// What was posted and not taken yet, in order.
pub(crate) struct Outbox {
    bug: WireBug,
    waiting: Mutex<Vec<Received>>,
    posted: watch::Sender<u64>,
    /// Counts streams: the newest one lives.
    streams: watch::Sender<u64>,
}

impl Outbox {
    pub(crate) fn new(bug: WireBug) -> Arc<Self> {
        Arc::new(Self { bug, waiting: Mutex::default(), posted: watch::Sender::new(0), streams: watch::Sender::new(0) })
    }

    /// Something was posted.
    pub(crate) fn post(&self) {
        let mut number = 0;
        self.posted.send_modify(|posted| {
            *posted += 1;
            number = *posted;
        });
        let kind = if self.bug == WireBug::ReceivedUntyped { "" } else { "kit.ledger.v1.PostResponse" };
        self.waiting.lock().expect("no panic").push(Received {
            id: format!("posted-{number}"),
            r#type: kind.to_owned(),
            subject: "1".to_owned(),
            time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
            data: bytes::Bytes::from_static(&[8, 1]),
        });
        self.posted.send_modify(|_| {});
    }

    /// Hands over, until the bus leaves or another stream is opened.
    pub(crate) async fn hand_over(
        self: Arc<Self>,
        mut inbound: Streaming<OpenRequest>,
        sender: mpsc::Sender<Result<OpenResponse, Status>>,
    ) {
        let mut streams = self.streams.subscribe();
        let mut mine = 0;
        self.streams.send_modify(|streams| {
            *streams += 1;
            mine = *streams;
        });
        let mut posted = self.posted.subscribe();
        let (mut credits, mut told) = (0_u64, Vec::new());
        loop {
            while let Some(next) = self.next(&told).filter(|_| credits > 0 || self.bug == WireBug::ReceivedUncounted) {
                credits = credits.saturating_sub(1);
                told.push(next.id.clone());
                let _ = sender.send(Ok(OpenResponse { received: Some(self.named(next)) })).await;
            }
            tokio::select! {
                () = overtaken(&mut streams, mine), if self.bug != WireBug::StreamsBeside => {
                    let _ = sender.send(Err(Status::aborted("another stream was opened"))).await;
                    return;
                }
                said = inbound.message() => match said.ok().flatten().and_then(|said| said.what) {
                    Some(open_request::What::Credit(credit)) => credits += u64::from(credit.messages),
                    Some(open_request::What::Taken(taken)) if self.bug != WireBug::TakenAgain => self.forget(&taken.id),
                    Some(open_request::What::Refused(refused)) if self.bug != WireBug::RefusedAgain => self.forget(&refused.id),
                    Some(_) => {}
                    None => return,
                },
                _ = posted.changed() => {}
            }
        }
    }

    fn next(&self, told: &[String]) -> Option<Received> {
        let mut waiting = self.waiting.lock().expect("no panic");
        let index = waiting.iter().position(|received| !told.contains(&received.id))?;
        Some(if self.bug == WireBug::ForgottenEarly { waiting.remove(index) } else { waiting[index].clone() })
    }

    fn named(&self, mut received: Received) -> Received {
        if self.bug == WireBug::NewIdEachTime {
            received.id = format!("{}-{}", received.id, fastrand::u32(..));
        }
        received
    }

    fn forget(&self, id: &str) {
        self.waiting.lock().expect("no panic").retain(|received| received.id != id);
    }
}

async fn overtaken(streams: &mut watch::Receiver<u64>, mine: u64) {
    // The sender lives as long as the server.
    let _ = streams.wait_for(|newest| *newest != mine).await;
}
