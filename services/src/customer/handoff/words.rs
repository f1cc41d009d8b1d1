//! The history of a hand-off in words.

use passerelle_proto::bus::v1::handoff_event::What;
use passerelle_proto::bus::v1::{HandoffEnding, HandoffEvent};
use passerelle_proto::customer::v1::HandoffHappening;

use super::moments::moment;
use super::refusal::moment as in_utc;

/// One happening, as a sentence without names of people and without answers.
pub(super) fn happening(event: &HandoffEvent) -> HandoffHappening {
    HandoffHappening { at: event.at, words: event.what.as_ref().map(words).unwrap_or_default() }
}

fn words(what: &What) -> String {
    match what {
        What::Offered(offered) => {
            let to = match offered.to_channel.as_str() {
                "" => "any channel".to_owned(),
                channel => format!("channel {channel}"),
            };
            format!("offered by channel {} to {to} at step {}", offered.from_channel, offered.step)
        }
        What::CodeIssued(issued) => format!("channel {} asked for a new code", issued.channel),
        What::Taken(taken) => {
            let how = if taken.by_code { "resumed by its code" } else { "accepted from the list" };
            format!("{how} in channel {}, owned until {}", taken.channel, in_utc(moment(taken.lease_until)))
        }
        What::Renewed(renewed) => format!("lease renewed until {}", in_utc(moment(renewed.lease_until))),
        What::Progressed(progressed) => {
            let step = match progressed.step.as_str() {
                "" => "progress within the step".to_owned(),
                step => format!("step {step} reached"),
            };
            let questions: Vec<&str> = progressed.answers.keys().map(String::as_str).collect();
            if questions.is_empty() { step } else { format!("{step}; answered: {}", questions.join(", ")) }
        }
        What::OfferedAgain(again) if again.lease_ran_out => "the owner's lease ran out; offered again".to_owned(),
        What::OfferedAgain(_) => "given back by its owner; offered again".to_owned(),
        What::Ended(ended) => match ended.ending() {
            HandoffEnding::Completed => "completed by its owner".to_owned(),
            HandoffEnding::TakenBack => "taken back by the channel that offered it".to_owned(),
            HandoffEnding::Expired | HandoffEnding::Unspecified => "nobody took it in time; ended".to_owned(),
        },
    }
}
