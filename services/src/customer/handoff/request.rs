//! What callers hand in, held against its rules. The words name the field, never its value.

use std::collections::BTreeMap;
use std::time::Duration;

use passerelle_proto::customer::v1::HandoffContext;
use tonic::Status;

use super::HandoffSettings;
use super::context::{self, LONGEST_ANSWER, LONGEST_QUESTION, MOST_ANSWERS, MOST_BYTES};

/// Longest name that somebody chooses freely: an idempotency key, a customer, an owner, a step.
const LONGEST_NAME: usize = 128;
/// Longest name that channels have agreed upon: a channel, a matter.
const LONGEST_WORD: usize = 64;
/// Characters in the name of a hand-off.
const ID: usize = 32;

/// 1 to 128 bytes.
pub(super) fn name(field: &str, value: &str) -> Result<(), Status> {
    filled(field, value, LONGEST_NAME)
}

/// 1 to 64 bytes.
pub(super) fn word(field: &str, value: &str) -> Result<(), Status> {
    filled(field, value, LONGEST_WORD)
}

/// Nothing, or 1 to 128 bytes.
pub(super) fn optional_name(field: &str, value: &str) -> Result<(), Status> {
    if value.is_empty() { Ok(()) } else { name(field, value) }
}

/// A channel's name.
pub(super) fn channel(field: &str, value: &str) -> Result<(), Status> {
    word(field, value)?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    match value.chars().all(allowed) {
        true => Ok(()),
        false => Err(invalid(field, "a channel is named by lower-case letters, digits, `-`, `_` and `.`")),
    }
}

/// A channel's name, or nothing.
pub(super) fn optional_channel(field: &str, value: &str) -> Result<(), Status> {
    if value.is_empty() { Ok(()) } else { channel(field, value) }
}

/// A name that we gave.
pub(super) fn id(value: &str) -> Result<(), Status> {
    match value.len() == ID && value.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        true => Ok(()),
        false => Err(invalid("id", "a hand-off is named by 32 hexadecimal digits, as it was when offered")),
    }
}

/// What is known.
pub(super) fn answers(context: Option<HandoffContext>) -> Result<BTreeMap<String, String>, Status> {
    let answers = context.unwrap_or_default().answers;
    for (number, (question, answer)) in answers.iter().enumerate() {
        let field = format!("context.answers[{number}]");
        filled(&format!("{field}.key"), question, LONGEST_QUESTION)?;
        if answer.len() > LONGEST_ANSWER {
            return Err(invalid(&field, &format!("an answer has at most {LONGEST_ANSWER} bytes, this one {}", answer.len())));
        }
    }
    match context::fits(&answers) {
        true => Ok(answers),
        false => {
            let (count, bytes) = (answers.len(), context::bytes(&answers));
            let rule = format!("at most {MOST_ANSWERS} answers in {MOST_BYTES} bytes are taken, these are {count} in {bytes}");
            Err(invalid("context", &rule))
        }
    }
}

/// How long to offer.
pub(super) fn time_to_live(asked: Option<prost_types::Duration>, settings: &HandoffSettings) -> Result<Duration, Status> {
    let Some(asked) = asked else { return Ok(settings.offer()) };
    let longest = settings.longest_offer();
    match Duration::try_from(asked) {
        Ok(asked) if asked >= Duration::from_secs(1) && asked <= longest => Ok(asked),
        _ => Err(invalid("time_to_live", &format!("1 to {} seconds can be asked for", longest.as_secs()))),
    }
}

fn filled(field: &str, value: &str, longest: usize) -> Result<(), Status> {
    match value.len() {
        0 => Err(invalid(field, "must be given")),
        length if length > longest => Err(invalid(field, &format!("at most {longest} bytes are taken, these are {length}"))),
        _ if value.chars().any(char::is_control) => Err(invalid(field, "control characters are not taken")),
        _ => Ok(()),
    }
}

/// A field that breaks a rule.
pub(super) fn invalid(field: &str, rule: &str) -> Status {
    Status::invalid_argument(format!("{field}: {rule}"))
}
