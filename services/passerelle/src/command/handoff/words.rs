//! What a running bus answers about hand-offs, in words or as JSON.

use std::fmt::Write as _;

use passerelle_proto::Acknowledgement;
use passerelle_proto::customer::v1;
use passerelle_proto::customer::v1::handoff::Status as Standing;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::command::moment::to_the_second;
use crate::failure::Failure;

/// An answer.
pub(super) enum Told {
    /// A code was given out.
    Code(v1::OfferResponse),
    /// Somebody has it now, with its context.
    Taken(v1::ResumeResponse),
    /// Something changed.
    Changed(v1::ProgressResponse),
    /// Several.
    List(v1::ListHandoffsResponse),
    /// One.
    Shown(v1::GetHandoffResponse),
}

impl Told {
    /// As JSON, on one line.
    pub(super) fn json(&self) -> Result<String, Failure> {
        match self {
            Self::Code(answer) => json("OfferResponse", answer),
            Self::Taken(answer) => json("ResumeResponse", answer),
            Self::Changed(answer) => json("ProgressResponse", answer),
            Self::List(answer) => json("ListHandoffsResponse", answer),
            Self::Shown(answer) => json("GetHandoffResponse", answer),
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Code(v1::OfferResponse { handoff, code, acknowledgement }) => {
                format!("code {code}\n{}", changed(handoff.as_ref(), acknowledgement.as_ref()))
            }
            Self::Taken(v1::ResumeResponse { handoff, acknowledgement }) => {
                format!("{}{}", changed(handoff.as_ref(), acknowledgement.as_ref()), known(handoff.as_ref()))
            }
            Self::Changed(v1::ProgressResponse { handoff, acknowledgement }) => {
                changed(handoff.as_ref(), acknowledgement.as_ref())
            }
            Self::List(v1::ListHandoffsResponse { handoffs, next_page_token }) => {
                let more =
                    if next_page_token.is_empty() { "" } else { "there are more: ask for them with -n, or narrow the list\n" };
                handoffs.iter().map(|handoff| line(handoff) + "\n").collect::<String>() + more
            }
            Self::Shown(v1::GetHandoffResponse { handoff, history }) => {
                let mut text = handoff.as_ref().map(|handoff| line(handoff) + "\n").unwrap_or_default();
                text.push_str(&known(handoff.as_ref()));
                for happening in history {
                    let _ = writeln!(text, "{}  {}", to_the_second(happening.at), happening.words);
                }
                text
            }
        }
    }
}

fn changed(handoff: Option<&v1::Handoff>, acknowledgement: Option<&Acknowledgement>) -> String {
    let (position, repeated) =
        acknowledgement.map(|acknowledgement| (acknowledgement.position, acknowledgement.repeated)).unwrap_or_default();
    let before = if repeated { ", done before" } else { "" };
    format!("{}\non disk at position {position}{before}\n", handoff.map(line).unwrap_or_default())
}

/// One hand-off in one line.
fn line(handoff: &v1::Handoff) -> String {
    let v1::Handoff { id, customer, from_channel, matter, step, revision, .. } = handoff;
    let to = if handoff.to_channel.is_empty() { "any" } else { &handoff.to_channel };
    let until = to_the_second(handoff.until);
    let stands = match handoff.status() {
        Standing::Unspecified => String::new(),
        Standing::Offered => format!("offered until {until}"),
        Standing::Owned => {
            format!("owned by {} in {} with fence {} until {until}", handoff.owner, handoff.owner_channel, handoff.fence)
        }
        Standing::Completed => format!("completed {until}"),
        Standing::TakenBack => format!("taken back {until}"),
        Standing::Expired => format!("expired {until}"),
    };
    format!("{id}  {matter} of {customer}, {from_channel} to {to}, step {step}, revision {revision}, {stands}")
}

fn known(handoff: Option<&v1::Handoff>) -> String {
    let answers = handoff.and_then(|handoff| handoff.context.as_ref()).map(|context| &context.answers);
    let lines = answers.into_iter().flatten().map(|(question, answer)| format!("known  {question} = {answer}\n"));
    lines.collect()
}

fn json(name: &str, message: &impl Message) -> Result<String, Failure> {
    let pool = DescriptorPool::decode(passerelle_proto::DESCRIPTORS).map_err(Failure::plain)?;
    let full_name = format!("passerelle.customer.v1.{name}");
    let descriptor = pool.get_message_by_name(&full_name).ok_or_else(|| Failure::plain(format!("{full_name} is not ours")))?;
    let message = DynamicMessage::decode(descriptor, &*message.encode_to_vec()).map_err(Failure::plain)?;
    let text = serde_json::to_string(&message).map_err(Failure::plain)?;
    Ok(text + "\n")
}
