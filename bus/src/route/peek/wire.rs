//! Protobuf's wire format, walked over without decoding: tags, lengths, and what can be skipped.

use super::Malformed;

/// Groups within groups.
const GROUP_DEPTH: usize = 32;

/// A place in the bytes of a message, and where the message ends.
#[derive(Debug, Clone, Copy)]
pub(in crate::route) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

/// A field's value as it stands on the wire.
#[derive(Debug, Clone, Copy)]
pub(in crate::route) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// A text, bytes, a message, or packed numbers.
    Chunk(Reader<'a>),
    /// A group, skipped.
    Group,
}

impl<'a> Raw<'a> {
    /// The bytes of a text, of bytes, of a message, or of packed numbers.
    pub(in crate::route) fn chunk(&self) -> Option<&'a [u8]> {
        match self {
            Self::Chunk(chunk) => Some(chunk.rest()),
            _ => None,
        }
    }
}

impl<'a> Reader<'a> {
    pub(in crate::route) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, end: bytes.len() }
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// How many bytes of the whole message lie before this place.
    pub(in crate::route) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn wrong(&self, what: &'static str) -> Malformed {
        Malformed { offset: self.at, what }
    }

    /// The next field's number and its value, if there is one.
    pub(in crate::route) fn field(&mut self) -> Result<Option<(u32, Raw<'a>)>, Malformed> {
        if self.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        let raw = match wire_type {
            0 => Raw::Varint(self.varint()?),
            1 => Raw::Fixed64(self.fixed64()?),
            2 => Raw::Chunk(self.chunk()?),
            3 => {
                self.skip_group(number)?;
                Raw::Group
            }
            5 => Raw::Fixed32(self.fixed32()?),
            _ => return Err(self.wrong("a field of a wire type that there is not, or the end of a group that never began")),
        };
        Ok(Some((number, raw)))
    }

    fn tag(&mut self) -> Result<(u32, u8), Malformed> {
        let tag = u32::try_from(self.varint()?).map_err(|_| self.wrong("a field's number is too large"))?;
        let number = tag >> 3;
        if number == 0 {
            return Err(self.wrong("a field has the number 0"));
        }
        Ok((number, (tag & 7) as u8))
    }

    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        let rest = self.rest();
        match rest.first() {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                return Ok(byte.into());
            }
            _ => {}
        }
        let mut value = 0_u64;
        for (index, &byte) in rest.iter().take(10).enumerate() {
            // Of the tenth byte only one bit is left.
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.at += index + 1;
                return Ok(value);
            }
        }
        Err(self.wrong(if rest.len() < 10 { "it ends within a number" } else { "a number has more than 64 bits" }))
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Malformed> {
        let bytes = self.rest().first_chunk::<8>().ok_or_else(|| self.wrong("it ends within a number of 8 bytes"))?;
        self.at += 8;
        Ok(u64::from_le_bytes(*bytes))
    }

    pub(super) fn fixed32(&mut self) -> Result<u32, Malformed> {
        let bytes = self.rest().first_chunk::<4>().ok_or_else(|| self.wrong("it ends within a number of 4 bytes"))?;
        self.at += 4;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn chunk(&mut self) -> Result<Self, Malformed> {
        let length = self.varint()?;
        let left = self.end - self.at;
        match usize::try_from(length) {
            Ok(length) if length <= left => {
                let chunk = Self { bytes: self.bytes, at: self.at, end: self.at + length };
                self.at += length;
                Ok(chunk)
            }
            _ => Err(self.wrong("a field is longer than what is left")),
        }
    }

    fn skip_group(&mut self, number: u32) -> Result<(), Malformed> {
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            let (number, wire_type) = self.tag()?;
            match wire_type {
                0 => drop(self.varint()?),
                1 => drop(self.fixed64()?),
                2 => drop(self.chunk()?),
                3 if open.len() < GROUP_DEPTH => open.push(number),
                4 if number == innermost => drop(open.pop()),
                5 => drop(self.fixed32()?),
                _ => return Err(self.wrong("a group does not end where it should, or is nested too deeply")),
            }
        }
        Ok(())
    }
}
