//! An adviser's stream: what he says goes to the floor, what the floor shows goes to him.

use std::collections::BTreeSet;

use passerelle_adapter::{Fault, Messages};
use passerelle_proto::backoffice::callback::v1::sit_request::What as Said;
use passerelle_proto::backoffice::callback::v1::{Outcome, Sit, SitRequest, SitResponse};
use prost::Message;
use tokio::sync::mpsc;

use crate::floor::{Floor, Ticket, ToSeat};
use crate::wire::{Answers, answers, bounded, invalid, next};

/// Longest name of an adviser or a line, in bytes.
pub(crate) const LONGEST_NAME: usize = 64;
/// Most lines that one adviser serves.
const MOST_LINES: usize = 64;
/// Longest note, in bytes.
const LONGEST_NOTE: usize = 500;

/// Carries one `Desk/Sit`.
pub(crate) async fn sit(floor: Floor, mut messages: Messages) -> Result<Messages, Fault> {
    let first = next::<SitRequest>(&mut messages).await.transpose()?.and_then(|first| first.what);
    let Some(Said::Sit(Sit { adviser, lines })) = first else {
        return Err(invalid("the first message must be `sit`"));
    };
    bounded("the adviser's name", &adviser, LONGEST_NAME)?;
    if lines.len() > MOST_LINES {
        return Err(invalid(format!("{} lines, at most {MOST_LINES} are taken", lines.len())));
    }
    lines.iter().try_for_each(|line| bounded("a line's name", line, LONGEST_NAME))?;
    let (seat, events) = floor.sit(adviser, lines.into_iter().collect::<BTreeSet<_>>())?;
    let (out, answers) = answers();
    tokio::spawn(async move {
        let ending = follow(&floor, &seat, messages, events, &out).await;
        floor.leave(&seat);
        if let Err(fault) = ending {
            // Whoever has gone does not hear it.
            let _ = out.try_send(Err(fault));
        }
    });
    Ok(answers)
}

async fn follow(
    floor: &Floor,
    seat: &Ticket,
    mut messages: Messages,
    mut events: mpsc::Receiver<ToSeat>,
    out: &Answers,
) -> Result<(), Fault> {
    loop {
        tokio::select! {
            said = next::<SitRequest>(&mut messages) => match said {
                None => return Ok(()),
                Some(said) => hear(floor, seat, said?)?,
            },
            event = events.recv() => match event {
                None => return Ok(()),
                Some(ToSeat::End(fault)) => return Err(fault),
                Some(ToSeat::Show(what)) => {
                    let shown = SitResponse { what: Some(what) }.encode_to_vec();
                    // One who does not read what he is shown is taken for gone.
                    out.try_send(Ok(shown.into())).map_err(|_| Fault::unavailable("what was shown was not read in time"))?;
                }
            },
            () = out.closed() => return Ok(()),
        }
    }
}

fn at_most(what: &str, text: &str) -> Result<(), Fault> {
    match text.len() {
        length if length > LONGEST_NOTE => Err(invalid(format!("{what} has {length} bytes, at most {LONGEST_NOTE} are taken"))),
        _ => Ok(()),
    }
}

fn hear(floor: &Floor, seat: &Ticket, said: SitRequest) -> Result<(), Fault> {
    match said.what {
        None => return Err(invalid("the message says nothing")),
        Some(Said::Sit(_)) => return Err(invalid("`sit` is said once, at the beginning")),
        Some(Said::Accept(accept)) => floor.accept(seat, &accept.callback_id),
        Some(Said::Decline(decline)) => {
            at_most("the reason", &decline.reason)?;
            floor.decline(seat, &decline.callback_id, &decline.reason);
        }
        Some(Said::Report(report)) => {
            if report.outcome() == Outcome::Unspecified {
                return Err(invalid("the report has no outcome: REACHED, NO_ANSWER or BUSY"));
            }
            at_most("the note", &report.note)?;
            floor.report(seat, &report.callback_id, report.outcome(), report.note);
        }
    }
    Ok(())
}
