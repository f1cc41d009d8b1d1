//! Which fields a channel sends, from a few of its requests: names only, read off the wire, never a value.
//!
//! The pass-through decodes no message, so one call in [`ONE_IN`] of a channel and method is looked into, its first message only, if that
//! came in one piece and is not compressed. What is in answers is not looked at: which of it a channel reads, nobody can know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{Kind, MessageDescriptor};

/// One call in so many of a channel and method is looked into, beginning with the first.
pub(super) const ONE_IN: u64 = 64;
/// Bytes of a message that is looked into.
const MAX_BYTES: usize = 64 * 1024;
/// Fields of a message that are looked at.
const MAX_FIELDS: usize = 1_000;
/// Messages within messages.
const MAX_DEPTH: usize = 8;
/// Names that are remembered of a channel and method.
const MAX_NAMES: usize = 1_000;
/// Flag and length in front of a gRPC message.
const PREFIX_BYTES: usize = 5;

/// How often a field was in the requests that were looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldUse {
    /// Requests looked into.
    pub sampled: u64,
    /// Those with the field.
    pub present: u64,
}

/// What was seen of one channel and method.
#[derive(Debug, Default)]
pub(super) struct Fields {
    requests: u64,
    /// By full name: `bank.v1.Transfer.amount`.
    present: BTreeMap<String, u64>,
}

impl Fields {
    /// Nothing, if no request was looked into.
    pub(super) fn of(&self, field: &str) -> Option<FieldUse> {
        let present = self.present.get(field).copied().unwrap_or_default();
        (self.requests > 0).then_some(FieldUse { sampled: self.requests, present })
    }
}

/// A call whose request is to be looked into; travels with it.
#[derive(Debug, Clone)]
pub struct Sample {
    pub(super) fields: Arc<Mutex<Fields>>,
    pub(super) input: MessageDescriptor,
}

impl Sample {
    /// Looks at the first bytes of a request, if a whole message is in them.
    pub fn look(&self, data: &[u8]) {
        if let Some(([0, length @ ..], rest)) = data.split_first_chunk::<PREFIX_BYTES>()
            && let Some(message) = usize::try_from(u32::from_be_bytes(*length)).ok().and_then(|length| rest.get(..length))
        {
            self.look_into(message);
        }
    }

    /// Looks at a message.
    pub fn look_into(&self, message: &[u8]) {
        if message.len() > MAX_BYTES {
            return;
        }
        let mut seen = Seen { names: BTreeSet::new(), left: MAX_FIELDS };
        // What does not decode is for the back office to refuse; what was read until there is as good as any.
        let _ = seen.scan(message, &self.input, MAX_DEPTH);
        let mut fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        fields.requests += 1;
        for name in seen.names {
            if fields.present.len() < MAX_NAMES || fields.present.contains_key(&name) {
                *fields.present.entry(name).or_default() += 1;
            }
        }
    }
}

struct Seen {
    names: BTreeSet<String>,
    left: usize,
}

impl Seen {
    fn scan(&mut self, mut bytes: &[u8], message: &MessageDescriptor, depth: usize) -> Result<(), prost::DecodeError> {
        while bytes.has_remaining() && self.left > 0 {
            self.left -= 1;
            let (number, wire_type) = decode_key(&mut bytes)?;
            let field = message.get_field(number);
            if let Some(field) = &field {
                self.names.insert(field.full_name().to_owned());
            }
            match (wire_type, field.map(|field| field.kind())) {
                (WireType::LengthDelimited, Some(Kind::Message(inner))) if depth > 0 => {
                    let length = usize::try_from(decode_varint(&mut bytes)?).unwrap_or(usize::MAX);
                    let Some((within, rest)) = bytes.split_at_checked(length) else { return Ok(()) };
                    self.scan(within, &inner, depth - 1)?;
                    bytes = rest;
                }
                _ => skip_field(wire_type, number, &mut bytes, DecodeContext::default())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Image;
    use super::super::fixture::contract;
    use super::*;

    fn sample(fields: &str) -> Sample {
        let image = Image::decode(contract("desk.v1", fields)).unwrap();
        Sample { fields: Arc::default(), input: image.pool().get_message_by_name("desk.v1.Asked").unwrap() }
    }

    fn seen(sample: &Sample) -> Vec<(String, u64)> {
        sample.fields.lock().unwrap().present.iter().map(|(name, count)| (name.clone(), *count)).collect()
    }

    #[test]
    fn fields_are_known_by_name_within_messages_too() {
        let sample = sample("string name = 1; Asked inner = 2; int32 age = 3; map<string, int32> parts = 4;");
        // name: "a", inner { age: 7, 99: unknown }, parts { "b": 1 }
        sample.look_into(&[0x0a, 1, b'a', 0x12, 5, 0x18, 7, 0x98, 0x06, 1, 0x22, 5, 0x0a, 1, b'b', 0x10, 1]);
        sample.look_into(&[0x0a, 1, b'c', 0x0a, 1, b'd']);
        let names = ["age", "inner", "name", "parts"].map(|name| format!("desk.v1.Asked.{name}"));
        let entry = ["key", "value"].map(|name| format!("desk.v1.Asked.PartsEntry.{name}"));
        let counts = [(entry[0].clone(), 1), (entry[1].clone(), 1)];
        let expected: BTreeMap<_, _> = names.into_iter().zip([1, 1, 2, 1]).chain(counts).collect();
        assert_eq!(seen(&sample), expected.into_iter().collect::<Vec<_>>());
        assert_eq!(sample.fields.lock().unwrap().of("desk.v1.Asked.name"), Some(FieldUse { sampled: 2, present: 2 }));
    }

    #[test]
    fn only_a_whole_message_that_is_not_compressed_is_looked_into() {
        let sample = sample("string name = 1;");
        for bytes in [&[1, 0, 0, 0, 3, 0x0a, 1, b'a'][..], &[0, 0, 0, 0, 3, 0x0a, 1], &[0, 0, 0], &[]] {
            sample.look(bytes);
        }
        assert_eq!(sample.fields.lock().unwrap().of("desk.v1.Asked.name"), None);
        sample.look(&[0, 0, 0, 0, 3, 0x0a, 1, b'a', 0, 0]);
        assert_eq!(seen(&sample), [("desk.v1.Asked.name".to_owned(), 1)]);
    }

    #[test]
    fn no_bytes_are_too_strange() {
        let sample = sample("string name = 1; Asked inner = 2;");
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let bytes: Vec<u8> = (0..rng.usize(0..64)).map(|_| if rng.bool() { 0x12 } else { rng.u8(..) }).collect();
            sample.look_into(&bytes);
        }
        assert!(seen(&sample).len() <= 2, "no more than there are: {:?}", seen(&sample));
    }
}
