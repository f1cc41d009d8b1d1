//! Examples beside the translations: a message, and what it becomes.

use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value as Json;
use serde_saphyr::Spanned;

use super::set::Set;
use super::source::{Sources, problem};
use super::written::Example;

/// What came of the examples of a set.
#[derive(Debug, Default)]
pub struct Examples {
    /// So many are as they should be.
    pub kept: usize,
    /// The others.
    pub failed: Vec<ExampleFailure>,
}

/// An example that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFailure {
    /// `file:line:column`.
    pub place: String,
    /// The example's name.
    pub name: String,
    /// What came instead.
    pub message: String,
}

impl Examples {
    /// Runs all examples.
    #[must_use]
    pub fn run(sources: &Sources, set: &Set) -> Self {
        let mut run = Self::default();
        for (file, example) in sources.examples.iter().flat_map(|(file, read)| read.examples.iter().map(move |one| (file, one))) {
            match one(set, example) {
                Ok(()) => run.kept += 1,
                Err(message) => {
                    let place = problem(file, example, "").place;
                    run.failed.push(ExampleFailure { place, name: example.value.name.clone(), message });
                }
            }
        }
        run
    }
}

/// What is written in an example is no customer's: it may be shown.
fn one(set: &Set, example: &Spanned<Example>) -> Result<(), String> {
    let Example { from, to, source, target, refused, .. } = &example.value;
    let mapping = set.mapping(from, to).ok_or_else(|| format!("no translation makes a {to} of a {from}"))?;
    let message = read(mapping.from(), source).map_err(|error| format!("source: {error}"))?;
    match (mapping.translate(&message), target, refused) {
        (_, Some(_), Some(_)) | (_, None, None) => Err("an example has a `target`, or says how it is `refused`".to_owned()),
        (Ok(made), Some(target), None) => {
            let wanted = read(mapping.to(), target).map_err(|error| format!("target: {error}"))?;
            if made == wanted { Ok(()) } else { Err(format!("became {}, wanted {}", shown(&made), shown(&wanted))) }
        }
        (Err(error), Some(_), None) => Err(format!("was refused: {error}")),
        (Err(error), None, Some(part)) if error.to_string().contains(part.as_str()) => Ok(()),
        (Err(error), None, Some(part)) => Err(format!("was refused otherwise: {error}; wanted: {part}")),
        (Ok(made), None, Some(_)) => Err(format!("was to be refused, and became {}", shown(&made))),
    }
}

fn read(message: &MessageDescriptor, json: &Json) -> Result<DynamicMessage, String> {
    let read = DynamicMessage::deserialize(message.clone(), json).map_err(|error| error.to_string())?;
    // As it were off the wire: fields that only say their default are not there.
    let bytes = prost::Message::encode_to_vec(&read);
    DynamicMessage::decode(message.clone(), bytes.as_slice()).map_err(|error| error.to_string())
}

fn shown(message: &DynamicMessage) -> String {
    let mut json = serde_json::Serializer::new(Vec::new());
    let options = SerializeOptions::new().use_proto_field_name(true);
    match message.serialize_with_options(&mut json, &options) {
        Ok(()) => String::from_utf8_lossy(&json.into_inner()).into_owned(),
        Err(error) => format!("what cannot be shown: {error}"),
    }
}
