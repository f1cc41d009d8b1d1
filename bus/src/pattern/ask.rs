//! Request-reply and scatter-gather: one is asked, or several, and what they answer is given to whoever asked.

use std::time::Duration;

use passerelle_feel::Value;
use passerelle_proto::bus::v1::{Message, PatternLoss};

use super::Refusal;
use super::aggregate::{EXPIRE, with_data};
use super::rule::{Rule, data, values_of};
use super::state::{last, size};
use super::step::Step;
use super::written::{Bounds, Incomplete};

/// Scatter-gather, compiled. What is held is the request, then its answers.
#[derive(Debug)]
pub(super) struct Gather {
    pub(super) to: Vec<String>,
    pub(super) within: Duration,
    pub(super) incomplete: Incomplete,
    pub(super) bounds: Bounds,
    pub(super) r#type: String,
    pub(super) data: Option<Rule>,
}

/// Request-reply, compiled. What is held is the request.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) to: String,
    pub(super) within: Duration,
    pub(super) answered: String,
    pub(super) unanswered: String,
    pub(super) late: Option<Late>,
}

/// Where late answers go.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) to: String,
    pub(super) channel: Option<String>,
    pub(super) within: Duration,
}

impl Gather {
    pub(super) fn ask(&self, step: &mut Step<'_>, request: &Message) -> Result<(), Refusal> {
        let (size, most) = (size(request), self.bounds.bytes as usize);
        if size > most {
            return Err(Refusal(format!("it has {size} bytes, at most {most} are held for one request")));
        }
        ask(step, request, &self.to, self.within)
    }

    pub(super) fn answer(&self, step: &mut Step<'_>, answer: &Message) -> Result<(), Refusal> {
        awaited(step)?;
        let (size, most) = (size(answer), self.bounds.bytes as usize);
        if size > most {
            return Err(Refusal(format!("it has {size} bytes, at most {most} are held for one request")));
        }
        let fits = step.state.held.len() <= self.bounds.messages as usize && step.held_bytes() + size <= most;
        if !fits {
            step.turn_away(answer, 0);
            self.end(step, PatternLoss::Full);
            return Ok(());
        }
        step.hold(answer, 0);
        if step.state.held.len() as u64 > step.state.awaited {
            self.give(step, true);
        }
        Ok(())
    }

    /// The time of the request is over.
    pub(super) fn expire(&self, step: &mut Step<'_>) {
        if !step.state.held.is_empty() {
            self.end(step, PatternLoss::Expired);
        }
    }

    fn end(&self, step: &mut Step<'_>, why: PatternLoss) {
        match self.incomplete {
            Incomplete::Publish => self.give(step, false),
            Incomplete::DeadLetters => self.lose(step, why),
        }
    }

    fn give(&self, step: &mut Step<'_>, complete: bool) {
        let answers = || step.state.held.iter().skip(1).filter_map(|held| held.message.as_ref());
        let made = match &self.data {
            Some(rule) => rule.value(&values_of(answers(), complete), step.now).ok(),
            None => Some(Value::list(answers().map(data).collect())),
        };
        let request = step.state.request.clone().unwrap_or_default();
        // After its request: they name it as their cause.
        let message = made.map(|value| with_data(step.follow(&request, &self.r#type, self.to.len()), &value));
        if !message.is_some_and(|message| step.publish(vec![message])) {
            return self.lose(step, PatternLoss::Unmade);
        }
        step.forget(EXPIRE);
        step.gave(step.places(), 0);
        step.close(true);
    }

    fn lose(&self, step: &mut Step<'_>, why: PatternLoss) {
        step.forget(EXPIRE);
        step.lose_all(why);
        step.close(true);
    }
}

impl Reply {
    pub(super) fn ask(&self, step: &mut Step<'_>, request: &Message) -> Result<(), Refusal> {
        let (size, most) = (size(request), Bounds::MOST.bytes as usize);
        if size > most {
            return Err(Refusal(format!("it has {size} bytes, at most {most} are held")));
        }
        ask(step, request, std::slice::from_ref(&self.to), self.within)
    }

    pub(super) fn answer(&self, step: &mut Step<'_>, answer: &Message) -> Result<(), Refusal> {
        if let Some(late) = self.late.as_ref().filter(|late| late.takes(step)) {
            let channel = late.channel.clone().or_else(|| Some(step.state.request.as_ref()?.channel.clone()));
            let reply = Message { channel: channel.unwrap_or_default(), ..reply(step, answer, &late.to) };
            return self.give(step, reply, Vec::new());
        }
        awaited(step)?;
        let reply = reply(step, answer, &self.answered);
        self.give(step, reply, step.places())
    }

    fn give(&self, step: &mut Step<'_>, reply: Message, places: Vec<u64>) -> Result<(), Refusal> {
        if !step.publish(vec![reply]) {
            return Err(Refusal("it is larger than a record may be".to_owned()));
        }
        step.forget(EXPIRE);
        step.gave(places, 0);
        step.close(true);
        Ok(())
    }

    /// Nobody has answered in time.
    pub(super) fn expire(&self, step: &mut Step<'_>) {
        let Some(request) = step.state.held.first().and_then(|held| held.message.clone()) else { return };
        let told = step.follow(&request, &self.unanswered, 1);
        match step.publish(vec![told]) {
            true => step.gave(step.places(), 0),
            false => step.lose_all(PatternLoss::Unmade),
        }
        step.close(false);
    }
}

impl Late {
    /// Whether an answer that comes now is late, and not too late.
    fn takes(&self, step: &Step<'_>) -> bool {
        let in_time = last(&step.state).is_some_and(|last| step.now < last + self.within);
        step.state.closed && step.state.request.is_some() && in_time
    }
}

/// Publishes the request to all that are asked, under a conversation of its own, and begins to wait.
fn ask(step: &mut Step<'_>, request: &Message, to: &[String], within: Duration) -> Result<(), Refusal> {
    let ask = |(index, r#type): (usize, &String)| Message {
        correlation_id: step.key.to_owned(),
        ..step.follow(request, r#type, index)
    };
    let asked: Vec<Message> = to.iter().enumerate().map(ask).collect();
    if !step.publish(asked) {
        return Err(Refusal(format!("for {} that are asked it is larger than a record may be", to.len())));
    }
    step.hold(request, 0);
    step.ask(request, to.len() as u64);
    step.remind(EXPIRE, within);
    Ok(())
}

/// The answer as whoever asked gets it.
fn reply(step: &Step<'_>, answer: &Message, r#type: &str) -> Message {
    let request = step.state.request.clone().unwrap_or_default();
    let follows = step.follow(answer, r#type, 0);
    Message {
        correlation_id: if request.correlation_id.is_empty() { request.id } else { request.correlation_id },
        subject: request.subject,
        customer: request.customer,
        channel: request.channel,
        reason: request.reason,
        ..follows
    }
}

fn awaited(step: &Step<'_>) -> Result<(), Refusal> {
    match step.state.awaited > 0 {
        true => Ok(()),
        false => Err(Refusal("no request waits for it: it was answered, its time is over, or there was none".to_owned())),
    }
}
