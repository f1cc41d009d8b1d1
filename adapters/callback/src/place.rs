//! The bus's stream of one call: placed on the floor, followed to its end.

use std::time::Duration;

use passerelle_adapter::{Fault, Messages};
use passerelle_proto::backoffice::callback::v1::place_request::What as Said;
use passerelle_proto::backoffice::callback::v1::place_response::What;
use passerelle_proto::backoffice::callback::v1::{Accepted, Call, Ended, NoAdviser, PlaceRequest, PlaceResponse, Ringing, Start};
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::floor::{Floor, Ticket, ToCall};
use crate::sit::LONGEST_NAME;
use crate::wire::{Answers, answers, bounded, invalid, next};

/// Longest id of a callback, in bytes.
const LONGEST_ID: usize = 128;
/// Longest time that advisers are looked for, in seconds.
const LONGEST_RING: u32 = 3_600;

/// Carries one `CallControl/Place`.
pub(crate) async fn place(floor: Floor, mut messages: Messages) -> Result<Messages, Fault> {
    let first = next::<PlaceRequest>(&mut messages).await.transpose()?.and_then(|first| first.what);
    let Some(Said::Start(start)) = first else {
        return Err(invalid("the first message must be `start`"));
    };
    let (call, ring, resume) = checked(start)?;
    let resumed = resume.is_some();
    let (ticket, events) = floor.place(call, resume)?;
    let (out, answers) = answers();
    tokio::spawn(async move {
        let mut following = Following { floor, ticket, out, give_up: (!resumed).then(|| Instant::now() + ring), lapse: None };
        let ending = following.follow(messages, events).await;
        // Nothing happens if it has ended well.
        following.floor.withdraw(&following.ticket, "the bus has taken the call back");
        if let Err(fault) = ending {
            let _ = following.out.try_send(Err(fault));
        }
    });
    Ok(answers)
}

fn checked(start: Start) -> Result<(Call, Duration, Option<String>), Fault> {
    let call = start.call.ok_or_else(|| invalid("`start` has no call"))?;
    bounded("the callback's id", &call.callback_id, LONGEST_ID)?;
    bounded("the line's name", &call.line, LONGEST_NAME)?;
    let resume = Some(start.resume_adviser).filter(|adviser| !adviser.is_empty());
    resume.iter().try_for_each(|adviser| bounded("the adviser's name", adviser, LONGEST_NAME))?;
    if resume.is_none() && !(1..=LONGEST_RING).contains(&start.ring_seconds) {
        return Err(invalid(format!("ring_seconds must be 1 to {LONGEST_RING}")));
    }
    Ok((call, Duration::from_secs(start.ring_seconds.into()), resume))
}

struct Following {
    floor: Floor,
    ticket: Ticket,
    out: Answers,
    /// When advisers have been looked for long enough; none once one has it.
    give_up: Option<Instant>,
    /// When the adviser who is asked has had time enough.
    lapse: Option<Instant>,
}

impl Following {
    async fn follow(&mut self, mut messages: Messages, mut events: mpsc::Receiver<ToCall>) -> Result<(), Fault> {
        loop {
            tokio::select! {
                said = next::<PlaceRequest>(&mut messages) => match said.transpose()?.map(|said| said.what) {
                    None => return Ok(()),
                    Some(Some(Said::Confirm(_))) => {
                        if !self.floor.confirm(&self.ticket) {
                            return Err(invalid("there is nothing to confirm"));
                        }
                    }
                    Some(Some(Said::Withdraw(withdraw))) => {
                        self.floor.withdraw(&self.ticket, &withdraw.reason);
                        return Ok(());
                    }
                    Some(Some(Said::Start(_)) | None) => return Err(invalid("after `start` come `confirm` and `withdraw`")),
                },
                event = events.recv() => match event {
                    // It has ended, or another stream took its place.
                    None => return Ok(()),
                    Some(event) => self.tell(event).await,
                },
                () = due(self.lapse) => {
                    self.lapse = None;
                    self.floor.lapse(&self.ticket);
                }
                () = due(self.give_up) => {
                    self.give_up = None;
                    if let Some(reason) = self.floor.give_up(&self.ticket) {
                        self.say(What::NoAdviser(NoAdviser { reason })).await;
                        return Ok(());
                    }
                }
                () = self.out.closed() => return Ok(()),
            }
        }
    }

    async fn tell(&mut self, event: ToCall) {
        self.lapse = None;
        match event {
            ToCall::Ringing(adviser) => {
                self.lapse = Some(Instant::now() + self.floor.offer());
                self.say(What::Ringing(Ringing { adviser })).await;
            }
            ToCall::Accepted(adviser) => {
                self.give_up = None;
                self.say(What::Accepted(Accepted { adviser })).await;
            }
            ToCall::Ended(outcome, note) => self.say(What::Ended(Ended { outcome: outcome.into(), note })).await,
        }
    }

    async fn say(&self, what: What) {
        // Whoever has gone does not hear it; that is seen by `closed`.
        let _ = self.out.send(Ok(PlaceResponse { what: Some(what) }.encode_to_vec().into())).await;
    }
}

/// Waits for that moment; for ever without one.
async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
