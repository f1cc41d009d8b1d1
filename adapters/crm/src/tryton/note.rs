//! An interaction as a note on a party: what was said, as people write it, and in a last line what else is known of it.

use passerelle_proto::backoffice::customers::v1::Interaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::moment;
use crate::driver::Key;

/// What stands before the last line of a note of ours.
const LAST_LINE: &str = "\n\npasserelle ";

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    direction: i32,
    channel: String,
    reason: String,
    seconds: i64,
    nanos: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
}

/// The text of a note.
pub(super) fn write(interaction: &Interaction, key: Option<&Key>) -> String {
    let at = interaction.at.unwrap_or_default();
    let known = Known {
        direction: interaction.direction,
        channel: interaction.channel.clone(),
        reason: interaction.reason.clone(),
        seconds: at.seconds,
        nanos: at.nanos,
        key: key.map(|key| key.digest.clone()),
        fingerprint: key.map(|key| key.fingerprint.clone()),
    };
    // Texts and numbers can always be written.
    format!("{}{LAST_LINE}{}", interaction.description, serde_json::to_string(&known).unwrap_or_default())
}

/// A note as an interaction; one that others wrote is a description only.
pub(super) fn read(record: &Value) -> Option<Interaction> {
    let id = record["id"].as_i64()?.to_string();
    let text = record["message"].as_str().unwrap_or_default();
    Some(match parts(text) {
        Some((description, known)) => Interaction {
            id,
            direction: known.direction,
            channel: known.channel,
            reason: known.reason,
            description: description.to_owned(),
            at: Some(prost_types::Timestamp { seconds: known.seconds, nanos: known.nanos }),
        },
        None => Interaction {
            id,
            description: text.to_owned(),
            at: moment::read(&record["create_date"]).map(moment::to_proto),
            ..Interaction::default()
        },
    })
}

/// The fingerprint that a note was written under.
pub(super) fn fingerprint(text: &str) -> Option<String> {
    parts(text)?.1.fingerprint
}

fn parts(text: &str) -> Option<(&str, Known)> {
    let (description, known) = text.rsplit_once(LAST_LINE)?;
    Some((description, serde_json::from_str(known).ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_and_others_are_descriptions() {
        let at = Some(prost_types::Timestamp { seconds: 7, nanos: 8 });
        for description in ["", "wants a loan\nfor a car", "\n\npasserelle {}", "ends so:\n\npasserelle "] {
            let interaction = Interaction {
                id: "4".to_owned(),
                direction: 1,
                channel: "web".to_owned(),
                reason: "a \"loan\"".to_owned(),
                description: description.to_owned(),
                at,
            };
            let key = Key { digest: "d".to_owned(), fingerprint: "f".to_owned() };
            let message = write(&interaction, Some(&key));
            assert_eq!(fingerprint(&message).as_deref(), Some("f"));
            assert_eq!(read(&json!({ "id": 4, "message": message })), Some(interaction));
        }
        let other = read(&json!({ "id": 5, "message": "called back" })).expect("a note");
        assert_eq!((other.description.as_str(), other.channel.as_str()), ("called back", ""));
    }
}
