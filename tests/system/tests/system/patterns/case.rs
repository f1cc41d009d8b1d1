//! Cases of patterns as files say them: what is declared, what comes in, what must come out, what is held.

use std::collections::BTreeMap;
use std::path::Path;

use passerelle_proto::bus::v1::dead_letter_event::Event as LetterEvent;
use passerelle_proto::bus::v1::pattern_event::Event;
use passerelle_proto::bus::v1::{DeadLetterEvent, Message, PatternEvent};
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: Vec<Case>,
}

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// A route file.
    pub(super) patterns: String,
    pub(super) steps: Vec<Step>,
}

/// Something happens, then other things must.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct Step {
    /// Messages that come in.
    pub(super) publish: Vec<Incoming>,
    /// Detours that an operator switches.
    pub(super) detour: BTreeMap<String, bool>,
    /// A pattern that an operator empties.
    pub(super) purge: Option<String>,
    /// Time that passes.
    pub(super) pass_seconds: u64,
    /// What comes out, by the fields that are named.
    pub(super) then: Vec<Map<String, Value>>,
    /// What becomes a dead letter, by the fields that are named.
    pub(super) dead: Vec<Map<String, Value>>,
    /// How many messages are held then by all patterns.
    pub(super) holds: Option<i64>,
}

/// A message that comes in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct Incoming {
    id: String,
    r#type: String,
    subject: String,
    customer: String,
    channel: String,
    correlation: String,
    number: u64,
    size: u64,
    data: Option<Value>,
}

/// All cases that lie beside this file, each with the name of its file.
pub(super) fn all() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/patterns");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(!paths.is_empty());
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let file: File =
            serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        file.cases.into_iter().map(move |case| (name.clone(), case)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(read).collect()
}

impl Incoming {
    /// The message; what is written `<q>` is the conversation of what followed from the message q.
    pub(super) fn message(&self, seen: &Seen) -> Message {
        let asked = self.correlation.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
        Message {
            id: self.id.clone(),
            source: "/case".to_owned(),
            r#type: self.r#type.clone(),
            subject: self.subject.clone(),
            customer: self.customer.clone(),
            channel: self.channel.clone(),
            correlation_id: asked.map_or(self.correlation.clone(), |id| seen.conversation_of(id)),
            sequence_number: self.number,
            sequence_size: self.size,
            data_content_type: self.data.as_ref().map(|_| "application/json".to_owned()).unwrap_or_default(),
            data: self.data.as_ref().map(|data| data.to_string().into_bytes()).unwrap_or_default().into(),
            ..Message::default()
        }
    }
}

/// What was seen of patterns so far.
#[derive(Default)]
pub(super) struct Seen {
    out: Vec<Value>,
    dead: Vec<Value>,
    holds: i64,
    /// What of both was expected before.
    told: (usize, usize),
}

impl Seen {
    /// Takes in what the journal says: what patterns publish, what happens to what they hold, dead letters.
    pub(super) fn see(&mut self, message: &Message) {
        match message.r#type.as_str() {
            "passerelle.bus.v1.DeadLetterBuried" => {
                let Some(LetterEvent::Buried(buried)) = DeadLetterEvent::decode(&*message.data).unwrap().event else { return };
                let letter = buried.letter.unwrap();
                let (message, why) = (letter.message.unwrap(), letter.failures[0].why.clone());
                self.dead.push(json!({ "delivery": letter.delivery, "id": message.id, "why": why }));
            }
            name if name.starts_with("passerelle.bus.v1.Pattern") => match PatternEvent::decode(&*message.data).unwrap().event {
                Some(Event::Took(took)) => self.holds += i64::from(took.message.is_some()),
                Some(Event::Gave(gave)) => self.holds -= gave.places.len() as i64,
                Some(Event::Lost(lost)) => self.holds -= lost.places.len() as i64,
                _ => {}
            },
            _ if message.source.starts_with("/patterns/") => self.out.push(shown(message)),
            _ => {}
        }
    }

    /// What is not as the step says; nothing where it is.
    pub(super) fn differs(&self, step: &Step) -> Option<String> {
        let mut wrong = Vec::new();
        for (what, seen, expected) in
            [("out", &self.out[self.told.0..], &step.then), ("dead", &self.dead[self.told.1..], &step.dead)]
        {
            let is = |(seen, expected): (&Value, &Map<String, Value>)| expected.iter().all(|(key, value)| seen[key] == *value);
            if seen.len() != expected.len() || !seen.iter().zip(expected).all(is) {
                wrong.push(format!("{what}: {seen:#?}\nexpected: {expected:#?}"));
            }
        }
        if step.holds.is_some_and(|holds| holds != self.holds) {
            wrong.push(format!("{} are held, expected are {:?}", self.holds, step.holds));
        }
        (!wrong.is_empty()).then(|| wrong.join("\n"))
    }

    fn conversation_of(&self, id: &str) -> String {
        let follows = self.out.iter().find(|message| message["causation"] == id).expect("something followed from it");
        follows["correlation"].as_str().unwrap().to_owned()
    }

    /// The step is done with.
    pub(super) fn next(&mut self) {
        self.told = (self.out.len(), self.dead.len());
    }
}

fn shown(message: &Message) -> Value {
    json!({
        "type": message.r#type,
        "source": message.source,
        "subject": message.subject,
        "customer": message.customer,
        "channel": message.channel,
        "correlation": message.correlation_id,
        "causation": message.causation_id,
        "number": message.sequence_number,
        "size": message.sequence_size,
        "history": message.history,
        "data": serde_json::from_slice::<Value>(&message.data).unwrap_or_default(),
    })
}
