//! What operators see and do: deliveries, dead letters.

use std::time::{Instant, SystemTime};

use passerelle_bus::delivery::{Absence, Bury, Refusal};
use passerelle_bus::keyed::Failure;
use passerelle_journal::Position;
use passerelle_proto::Acknowledgement;
use passerelle_proto::bus::v1::{self, delivery_operations_server::DeliveryOperations};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::letters::Query;
use super::{Deliveries, One, To};
use crate::journal::{of_append, of_read};

/// Bytes of an explanation at most.
const LONGEST_WHY: usize = 500;

#[tonic::async_trait]
impl DeliveryOperations for Deliveries {
    async fn list_deliveries(
        &self,
        _: Request<v1::ListDeliveriesRequest>,
    ) -> Result<Response<v1::ListDeliveriesResponse>, Status> {
        let mut deliveries = Vec::with_capacity(self.0.all.len());
        for one in self.0.all.values() {
            deliveries.push(self.seen(one).await);
        }
        Ok(Response::new(v1::ListDeliveriesResponse { deliveries }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        let query = Query::new(request.get_ref())?;
        let asked = query.clone();
        let found = self.0.projection.read(move |connection| asked.run(connection)).await;
        let found = found.map_err(|error| Status::unavailable(format!("dead letters cannot be listed for now: {error}")))?;
        Ok(Response::new(query.page(found)))
    }

    async fn get_dead_letter(
        &self,
        request: Request<v1::GetDeadLetterRequest>,
    ) -> Result<Response<v1::GetDeadLetterResponse>, Status> {
        let id = request.into_inner().id;
        let found = self.0.graves.state(&id).await.map_err(|failure| refused(&failure))?;
        let (letter, _) = found.ok_or_else(|| refused(&Failure::Refused(Refusal::Unknown)))?;
        Ok(Response::new(v1::GetDeadLetterResponse { letter: Some(v1::DeadLetter { id, letter: Some(letter) }) }))
    }

    async fn replay_dead_letter(
        &self,
        request: Request<v1::ReplayDeadLetterRequest>,
    ) -> Result<Response<v1::ReplayDeadLetterResponse>, Status> {
        let acknowledgement = Some(self.command(&request.get_ref().id, Bury::Replay).await?);
        Ok(Response::new(v1::ReplayDeadLetterResponse { acknowledgement }))
    }

    async fn discard_dead_letter(
        &self,
        request: Request<v1::DiscardDeadLetterRequest>,
    ) -> Result<Response<v1::DiscardDeadLetterResponse>, Status> {
        let v1::DiscardDeadLetterRequest { id, why } = request.into_inner();
        if why.len() > LONGEST_WHY {
            return Err(Status::invalid_argument(format!("why: {} bytes, at most {LONGEST_WHY} are kept", why.len())));
        }
        let acknowledgement = Some(self.command(&id, Bury::Discard(why)).await?);
        Ok(Response::new(v1::DiscardDeadLetterResponse { acknowledgement }))
    }
}

impl Deliveries {
    async fn command(&self, id: &str, command: Bury) -> Result<Acknowledgement, Status> {
        let done = self.0.graves.command(id, None, command).await.map_err(|failure| refused(&failure))?;
        Ok(Acknowledgement::durable(done.position.0, done.repeated))
    }

    async fn seen(&self, one: &One) -> v1::Delivery {
        let status = one.delivery.status();
        let oldest = match status.oldest {
            Some(position) => self.written(position).await,
            None => None,
        };
        v1::Delivery {
            name: one.name.clone(),
            to: match &one.to {
                To::Consumers => "consumers".to_owned(),
                To::Method { path, .. } => path.trim_start_matches('/').to_owned(),
            },
            absence: status.absence.map(absence),
            waiting: status.waiting as u64,
            under_way: status.under_way as u64,
            lanes: status.lanes as u64,
            unread: status.unread,
            oldest: oldest.map(Into::into),
            consumers: one.consumers.count(),
            delivered: status.counts.delivered,
            failed: status.counts.failed,
            dead: status.counts.dead,
            repeated: status.counts.repeated,
        }
    }

    /// When a record was written; `None` where it cannot be read.
    async fn written(&self, position: Position) -> Option<SystemTime> {
        let journal = self.0.journal.clone();
        let read = tokio::task::spawn_blocking(move || journal.read(position, 1)).await.ok()?.ok()?;
        let record = v1::Record::decode(read.into_iter().next()?.entry.data).ok()?;
        SystemTime::try_from(record.time?).ok()
    }
}

/// An absence by the clock on the wall.
fn absence(absence: Absence) -> v1::Absence {
    let (now, wall) = (Instant::now(), SystemTime::now());
    let since = wall.checked_sub(now.saturating_duration_since(absence.since));
    let next_attempt = wall.checked_add(absence.until.saturating_duration_since(now));
    v1::Absence { since: since.map(Into::into), next_attempt: next_attempt.map(Into::into), why: absence.why }
}

fn refused(failure: &Failure<Refusal>) -> Status {
    match failure {
        Failure::Refused(Refusal::Unknown) => Status::not_found(failure.to_string()),
        Failure::Refused(_) => Status::failed_precondition(failure.to_string()),
        Failure::Journal(error) => of_append(error),
        Failure::Unreadable(error) => of_read(error),
        Failure::Damaged { .. } => Status::data_loss(failure.to_string()),
        Failure::Conflict { .. } => Status::aborted(failure.to_string()),
        Failure::Busy | Failure::Closed | Failure::Behind(_) => Status::unavailable(failure.to_string()),
    }
}
