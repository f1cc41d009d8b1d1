//! A content filter: fields left out of a message, on its wire bytes.

use prost_reflect::{Kind, MessageDescriptor};

use super::peek::{FieldPath, Malformed, PathError, Reader};

/// Fields to leave out of messages of one type.
#[derive(Debug, Default)]
pub(super) struct Strip {
    dropped: Vec<u32>,
    within: Vec<(u32, Strip)>,
}

impl Strip {
    /// Leaves out also what stands at this path. Where a message on the way is repeated, of each of them.
    pub(super) fn add(&mut self, message: &MessageDescriptor, path: &str) -> Result<(), DropError> {
        let names: Vec<&str> = path.split('.').collect();
        let (found, used) = FieldPath::resolve(message, &names)?;
        if used < names.len() || found.key.is_some() {
            return Err(DropError::Part(path.to_owned()));
        }
        let mut strip = self;
        let (last, way) = match found.fields.split_last() {
            Some(split) => split,
            None => return Err(DropError::Part(path.to_owned())),
        };
        for field in way {
            let place = strip.within.iter().position(|(number, _)| *number == field.number()).unwrap_or_else(|| {
                strip.within.push((field.number(), Self::default()));
                strip.within.len() - 1
            });
            strip = &mut strip.within[place].1;
        }
        if matches!(last.kind(), Kind::Message(_)) && last.is_group() {
            return Err(DropError::Part(path.to_owned()));
        }
        strip.dropped.push(last.number());
        Ok(())
    }

    /// The message without those fields.
    pub(super) fn apply(&self, message: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut kept = Vec::with_capacity(message.len());
        let mut reader = Reader::new(message);
        loop {
            let before = reader.offset();
            let Some((number, raw)) = reader.field()? else { return Ok(kept) };
            if self.dropped.contains(&number) {
                continue;
            }
            match (self.within.iter().find(|(within, _)| *within == number), raw.chunk()) {
                (Some((_, strip)), Some(chunk)) => {
                    let inner = strip.apply(chunk)?;
                    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut kept);
                    prost::encoding::encode_varint(inner.len() as u64, &mut kept);
                    kept.extend_from_slice(&inner);
                }
                _ => kept.extend_from_slice(&message[before..reader.offset()]),
            }
        }
    }
}

/// A path that cannot be left out.
#[derive(Debug, thiserror::Error)]
pub(super) enum DropError {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("`{0}` is no field, but a part of one: drop the field")]
    Part(String),
}
