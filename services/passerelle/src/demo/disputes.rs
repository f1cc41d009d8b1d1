//! The sample bank's card disputes: a plain gRPC server that knows nothing of the bus. Runs in a process of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use passerelle_bus::contract::Image;
use passerelle_proto::sample;
use passerelle_proto::sample::cards::v1::disputes_server::{self, DisputesServer};
use passerelle_proto::sample::cards::v1::{
    Dispute, DisputeEvent, FollowDisputeRequest, GetDisputeRequest, OpenDisputeRequest, ProofPiece, ProofReceipt, dispute::State,
};
use passerelle_services::reflection::Reflection;
use tokio::net::TcpListener;
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::failure::Failure;

/// The most disputes that the sample keeps; then it forgets the oldest.
const KEPT: usize = 1_000;
const LONGEST_REASON_CHARS: usize = 500;

/// Serves until the process ends; prints `listening ADDRESS` when it is there.
pub(crate) fn run() -> Result<(), Failure> {
    crate::serve::runtime(1)?.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.map_err(Failure::plain)?;
        let address = listener.local_addr().map_err(Failure::plain)?;
        let image = Image::decode(sample::DESCRIPTORS).map_err(Failure::plain)?;
        let reflection = Reflection::new().map_err(Failure::plain)?.with_services(image, &["bank.cards.v1.Disputes"]);
        println!("listening {address}");
        let server = Server::builder().add_service(DisputesServer::new(Disputes::default())).add_service(reflection.v1());
        server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), parent_gone()).await.map_err(Failure::plain)
    })
}

/// The demo holds our standard input open as long as it lives.
async fn parent_gone() {
    let mut input = tokio::io::stdin();
    // An end or an error: either way nobody is there any more.
    let _ = tokio::io::copy(&mut input, &mut tokio::io::sink()).await;
}

#[derive(Debug, Default)]
struct Disputes {
    opened: Arc<Mutex<Opened>>,
}

#[derive(Debug, Default)]
struct Opened {
    count: u64,
    kept: BTreeMap<u64, Dispute>,
}

impl Disputes {
    fn find(&self, id: &str) -> Result<Dispute, Status> {
        let number = id.strip_prefix("D-").and_then(|number| number.parse::<u64>().ok());
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let found = number.and_then(|number| opened.kept.get(&number).cloned());
        found.ok_or_else(|| Status::not_found("there is no dispute of that id; OpenDispute opens one"))
    }
}

#[tonic::async_trait]
impl disputes_server::Disputes for Disputes {
    async fn open_dispute(&self, request: Request<OpenDisputeRequest>) -> Result<Response<Dispute>, Status> {
        let asked = request.into_inner();
        if asked.payment_id.is_empty() || asked.amount_cents <= 0 {
            return Err(Status::invalid_argument("payment_id and a positive amount_cents are needed"));
        }
        if asked.reason.chars().count() > LONGEST_REASON_CHARS {
            return Err(Status::invalid_argument("reason has more than 500 characters"));
        }
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.count += 1;
        let number = opened.count;
        let dispute = Dispute {
            dispute_id: format!("D-{number}"),
            payment_id: asked.payment_id,
            amount_cents: asked.amount_cents,
            state: State::Open.into(),
        };
        opened.kept.insert(number, dispute.clone());
        if opened.kept.len() > KEPT {
            opened.kept.pop_first();
        }
        Ok(Response::new(dispute))
    }

    async fn get_dispute(&self, request: Request<GetDisputeRequest>) -> Result<Response<Dispute>, Status> {
        self.find(&request.into_inner().dispute_id).map(Response::new)
    }

    type FollowDisputeStream = Pin<Box<dyn Stream<Item = Result<DisputeEvent, Status>> + Send>>;

    async fn follow_dispute(
        &self,
        request: Request<FollowDisputeRequest>,
    ) -> Result<Response<Self::FollowDisputeStream>, Status> {
        self.find(&request.into_inner().dispute_id)?;
        let steps = [
            ("received", State::Open),
            ("the merchant was asked", State::Open),
            ("the merchant did not answer in time", State::Open),
            ("the amount was given back", State::Refunded),
        ];
        let events = (1..)
            .zip(steps)
            .map(|(number, (text, state))| Ok(DisputeEvent { number, text: text.to_owned(), state: state.into() }));
        Ok(Response::new(Box::pin(tokio_stream::iter(events))))
    }

    async fn attach_proof(&self, request: Request<Streaming<ProofPiece>>) -> Result<Response<ProofReceipt>, Status> {
        let mut pieces = request.into_inner();
        let mut receipt = ProofReceipt::default();
        while let Some(piece) = pieces.message().await? {
            if receipt.pieces == 0 {
                receipt.dispute_id = self.find(&piece.dispute_id)?.dispute_id;
            }
            receipt.pieces += 1;
            receipt.size_bytes += piece.content.len() as i64;
        }
        match receipt.pieces {
            0 => Err(Status::invalid_argument("at least one piece is needed")),
            _ => Ok(Response::new(receipt)),
        }
    }
}
