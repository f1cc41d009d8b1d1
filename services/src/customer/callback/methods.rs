//! The methods of the service, as channels call them.

use passerelle_bus::calendar::Slot;
use passerelle_bus::keyed::Failure;
use passerelle_journal::Position;
use passerelle_projection::rusqlite::Connection;
use passerelle_proto::Acknowledgement;
use passerelle_proto::bus::v1::CallbackState;
use passerelle_proto::bus::v1::callback_ended::Ending;
use passerelle_proto::customer::v1;
use passerelle_proto::customer::v1::callbacks_server;
use passerelle_proto::customer::v1::reschedule_callback_request::When;
use prost_types::Timestamp;
use tonic::{Request, Response, Status};

use super::decide::{Command, OpenLine, Refusal, unix_seconds};
use super::service::Callbacks;
use super::table::{self, Wanted};
use super::{refusal, request, words};

const USUAL_SLOTS: usize = 20;
const MOST_SLOTS: usize = 200;
const USUAL_PAGE: usize = 100;
const MOST_PAGE: usize = 500;
/// Slots chosen one after another for a wish, before it is told that there is none.
const CHOICES: usize = 5;
/// Free slots named to whoever asked for a full one.
const OFFERED: usize = 3;
/// No slot begins then.
const NO_SLOT: i64 = 0;

#[tonic::async_trait]
impl callbacks_server::Callbacks for Callbacks {
    async fn search_time_slots(
        &self,
        request: Request<v1::SearchTimeSlotsRequest>,
    ) -> Result<Response<v1::SearchTimeSlotsResponse>, Status> {
        let request = request.into_inner();
        request::line(&request.line)?;
        let line = self.0.line(&request.line)?;
        let limit = bounded("limit", request.limit, USUAL_SLOTS, MOST_SLOTS)?;
        let now = unix_seconds(self.0.clock.now());
        // Slots that end after that moment: the one that goes on then as well.
        let length = i64::from(line.line.slot_seconds);
        let from = request.from.map_or(now, |from| from.seconds).max(now).saturating_sub(length) + 1;
        let found = match request.free_only {
            true => self.0.free_slots(&request.line, line, from, limit).await,
            false => self.0.slots_from(&request.line, line, from, limit).await,
        };
        let slots = found.map_err(Status::unavailable)?;
        let slots = slots.into_iter().map(|(slot, free)| time_slot(line, slot, free)).collect();
        Ok(Response::new(v1::SearchTimeSlotsResponse { slots, time_zone: line.calendar.zone_name().to_owned() }))
    }

    async fn request_callback(
        &self,
        request: Request<v1::RequestCallbackRequest>,
    ) -> Result<Response<v1::RequestCallbackResponse>, Status> {
        let request = request.into_inner();
        let wish = request::wish(&request)?;
        let id = request::id(&self.0.secret, &wish.customer, &request.idempotency_key);
        self.0.projection.room().await.map_err(|stopped| Status::unavailable(stopped.to_string()))?;
        let line = self.0.line(&wish.line)?;
        let mut tries = 0;
        let done = loop {
            let slot = match wish.slot {
                0 => self.first_free(&id, &wish.line, line).await?,
                slot => slot,
            };
            tries += 1;
            match self.0.command(&id, Command::Request { wish: Box::new(wish.clone()), slot }).await {
                // The slot that went on when it was chosen has ended meanwhile.
                Err(Failure::Refused(Refusal::Past)) if wish.slot == 0 && tries < CHOICES => {}
                other => break other.map_err(|failure| refusal::of_failure(&failure))?,
            }
        };
        let (state, position) = self.after(&id, done.position).await?;
        if state.ending() == Ending::Refused {
            return Err(self.full(&wish.line, line, position).await);
        }
        Ok(Response::new(v1::RequestCallbackResponse {
            callback: Some(words::callback(&id, &state, Some(line))),
            acknowledgement: Some(Acknowledgement::durable(position.0, done.answer.unchanged)),
        }))
    }

    async fn reschedule_callback(
        &self,
        request: Request<v1::RescheduleCallbackRequest>,
    ) -> Result<Response<v1::RescheduleCallbackResponse>, Status> {
        let request = request.into_inner();
        request::check_id(&request.callback_id)?;
        let id = &request.callback_id;
        let key = request::optional_key("reschedule", &request.idempotency_key)?;
        let before = self.0.state(id).await.map_err(|failure| refusal::of_failure(&failure))?;
        let line_name = before.wish.as_ref().map(|wish| wish.line.clone()).unwrap_or_default();
        let line = self.0.line(&line_name)?;
        let (slot, or_later) = match request.when {
            Some(When::SlotStart(start)) => (start.seconds, false),
            Some(When::AsSoonAsPossible(true)) => (self.first_free(id, &line_name, line).await?, true),
            Some(When::AsSoonAsPossible(false)) | None => {
                return Err(Status::invalid_argument("say when: slot_start, or as_soon_as_possible: true"));
            }
        };
        let done = self.0.callbacks.command(id, key.as_deref(), Command::Reschedule { slot, or_later }).await;
        let done = match done {
            // There was none to try.
            Err(Failure::Refused(Refusal::NoSuchSlot | Refusal::Past)) if or_later && slot == NO_SLOT => {
                return Err(self.full(&line_name, line, Position(0)).await);
            }
            other => other.map_err(|failure| refusal::of_failure(&failure))?,
        };
        let (state, position) = self.after(id, done.position).await?;
        let moved = done.repeated || or_later || state.slot == slot || state.sought != 0;
        if !moved {
            return Err(self.full(&line_name, line, position).await);
        }
        Ok(Response::new(v1::RescheduleCallbackResponse {
            callback: Some(words::callback(id, &state, Some(line))),
            acknowledgement: Some(Acknowledgement::durable(position.0, done.repeated || done.answer.unchanged)),
        }))
    }

    async fn cancel_callback(
        &self,
        request: Request<v1::CancelCallbackRequest>,
    ) -> Result<Response<v1::CancelCallbackResponse>, Status> {
        let request = request.into_inner();
        request::check_id(&request.callback_id)?;
        let id = &request.callback_id;
        let key = request::optional_key("cancel", &request.idempotency_key)?;
        let done = self.0.callbacks.command(id, key.as_deref(), Command::Cancel).await;
        let done = done.map_err(|failure| refusal::of_failure(&failure))?;
        let (state, position) = self.after(id, done.position).await?;
        Ok(Response::new(v1::CancelCallbackResponse {
            callback: Some(words::callback(id, &state, self.0.line_of(&state))),
            acknowledgement: Some(Acknowledgement::durable(position.0, done.repeated || done.answer.unchanged)),
        }))
    }

    async fn get_callback(&self, request: Request<v1::GetCallbackRequest>) -> Result<Response<v1::GetCallbackResponse>, Status> {
        let id = request.into_inner().callback_id;
        request::check_id(&id)?;
        let state = self.0.state(&id).await.map_err(|failure| refusal::of_failure(&failure))?;
        let callback = words::callback(&id, &state, self.0.line_of(&state));
        Ok(Response::new(v1::GetCallbackResponse { callback: Some(callback) }))
    }

    async fn list_callbacks(
        &self,
        request: Request<v1::ListCallbacksRequest>,
    ) -> Result<Response<v1::ListCallbacksResponse>, Status> {
        let request = request.into_inner();
        let limit = bounded("page_size", request.page_size, USUAL_PAGE, MOST_PAGE)?;
        v1::callback::Status::try_from(request.status)
            .map_err(|_| Status::invalid_argument("status: is none of those that callbacks have"))?;
        let after = (!request.page_token.is_empty()).then(|| page(&request.page_token)).transpose()?;
        let wanted = Wanted { customer: request.customer, line: request.line, status: request.status, after, limit: limit + 1 };
        let query = move |connection: &Connection| table::callbacks(connection, &wanted);
        let read = self.0.projection.read_at_least(Position(request.read_at_least), query).await;
        let mut found = read.map_err(|error| refusal::of_read(&error))?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let token = |last: &passerelle_bus::keyed::Entity<CallbackState>| {
            format!("{}-{}", last.state.call_at.map_or(0, |at| at.seconds), last.key)
        };
        let next_page_token = last.map(token).unwrap_or_default();
        let callbacks = found.into_iter().map(|entity| {
            let callback = words::callback(&entity.key, &entity.state, self.0.line_of(&entity.state));
            v1::Callback { steps: Vec::new(), ..callback }
        });
        Ok(Response::new(v1::ListCallbacksResponse { callbacks: callbacks.collect(), next_page_token }))
    }
}

impl Callbacks {
    /// Settles what a durable command has begun. That this fails takes nothing back: a timer goes on with it.
    async fn after(&self, id: &str, position: Position) -> Result<(CallbackState, Position), Status> {
        match self.settled(id).await {
            Ok((state, last)) => Ok((state, last.unwrap_or(position))),
            Err(_) => {
                let state = self.0.state(id).await.map_err(|failure| refusal::of_failure(&failure))?;
                Ok((state, position))
            }
        }
    }

    /// The first slot with a place; without one, for a callback that is known already, [`NO_SLOT`]: a repetition needs none.
    async fn first_free(&self, id: &str, name: &str, line: &OpenLine) -> Result<i64, Status> {
        let free = self.0.free_slots(name, line, 0, 1).await.map_err(Status::unavailable)?;
        match free.first() {
            Some((slot, _)) => Ok(slot.start),
            None if self.0.state(id).await.is_ok() => Ok(NO_SLOT),
            None => Err(self.full(name, line, Position(0)).await),
        }
    }

    /// What is told when there is no place. `refused` is where that was written down: tables behind it would offer the very slot.
    async fn full(&self, name: &str, line: &OpenLine, refused: Position) -> Status {
        // Tables that cannot follow are no reason to tell nothing.
        let _ = self.0.projection.reach(refused).await;
        let free = self.0.free_slots(name, line, 0, OFFERED).await.unwrap_or_default();
        let slots: Vec<String> = free.into_iter().map(|(slot, _)| line.calendar.local_slot(slot)).collect();
        Status::failed_precondition(match slots.is_empty() {
            true => format!("no place is left on line {name} in the next {} days", line.line.horizon_days),
            false => format!("no place is left in that slot; free are {} ({})", slots.join(", "), line.calendar.zone_name()),
        })
    }
}

fn time_slot(line: &OpenLine, slot: Slot, free: u32) -> v1::TimeSlot {
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let valid_for = Some(v1::TimePeriod { start: at(slot.start), end: at(slot.end) });
    v1::TimeSlot { valid_for, local: line.calendar.local_slot(slot), free }
}

fn bounded(field: &str, value: u32, usual: usize, most: usize) -> Result<usize, Status> {
    match value as usize {
        0 => Ok(usual),
        value if value > most => Err(Status::invalid_argument(format!("{field}: {value} is out of range, at most {most}"))),
        value => Ok(value),
    }
}

fn page(token: &str) -> Result<(i64, String), Status> {
    let parts = token.split_once('-').and_then(|(promised, id)| {
        request::check_id(id).ok()?;
        Some((promised.parse().ok()?, id.to_owned()))
    });
    parts.ok_or_else(|| Status::invalid_argument("page_token: not one that was answered"))
}
