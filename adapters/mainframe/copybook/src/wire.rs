//! Wire: protobuf's varints, tags and lengths (protobuf.dev, "Encoding").

/// Wire types.
pub(crate) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const LENGTH: u8 = 2;
const START_GROUP: u8 = 3;
const END_GROUP: u8 = 4;
pub(crate) const FIXED32: u8 = 5;

/// Deepest nesting of groups in unknown fields, as in the official libraries.
const GROUPS: u32 = 100;

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Puts the length of what was written since `mark` before it.
pub(crate) fn put_length_before(out: &mut Vec<u8>, mark: usize) {
    let length = out.len() - mark;
    if let (Some(byte), true) = (out.get_mut(mark - 1), length < 0x80) {
        *byte = length as u8;
        return;
    }
    let mut varint = Vec::with_capacity(5);
    put_varint(&mut varint, length as u64);
    out.splice(mark - 1..mark, varint);
}

pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// What is wrong with bytes that should be a protobuf message.
pub(crate) type Malformed = &'static str;

/// Reads protobuf bytes from a place in a message.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'m> {
    pub(crate) bytes: &'m [u8],
    pub(crate) at: usize,
    pub(crate) end: usize,
}

impl Reader<'_> {
    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes[..self.end].get(self.at).ok_or("the message ends inside a number")?;
            self.at += 1;
            if shift == 63 && byte > 1 {
                return Err("a number is longer than 64 bits");
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number is longer than 64 bits")
    }

    /// Field number and wire type.
    pub(crate) fn tag(&mut self) -> Result<(u32, u8), Malformed> {
        let tag = u32::try_from(self.varint()?).map_err(|_| "a tag is longer than 32 bits")?;
        if tag >> 3 == 0 { Err("a field has the number 0") } else { Ok((tag >> 3, (tag & 7) as u8)) }
    }

    /// Start and end of a value with its length before it.
    pub(crate) fn delimited(&mut self) -> Result<(usize, usize), Malformed> {
        let length = self.varint()?;
        let start = self.at;
        self.skip(usize::try_from(length).map_err(|_| "a length is too large")?)?;
        Ok((start, self.at))
    }

    fn skip(&mut self, length: usize) -> Result<(), Malformed> {
        match self.at.checked_add(length) {
            Some(end) if end <= self.end => {
                self.at = end;
                Ok(())
            }
            _ => Err("the message ends inside a field"),
        }
    }

    /// Passes over the value of an unknown field.
    pub(crate) fn pass(&mut self, number: u32, wire: u8) -> Result<(), Malformed> {
        self.pass_nested(number, wire, GROUPS)
    }

    fn pass_nested(&mut self, number: u32, wire: u8, depth: u32) -> Result<(), Malformed> {
        match wire {
            VARINT => self.varint().map(|_| ()),
            FIXED64 => self.skip(8),
            LENGTH => self.delimited().map(|_| ()),
            FIXED32 => self.skip(4),
            START_GROUP => loop {
                let (inner, wire) = self.tag()?;
                if wire == END_GROUP {
                    return if inner == number { Ok(()) } else { Err("a group is closed by another's end") };
                }
                self.pass_nested(inner, wire, depth.checked_sub(1).ok_or("groups are nested too deep")?)?;
            },
            END_GROUP => Err("a group is closed that was not open"),
            _ => Err("a field has an unknown wire type"),
        }
    }
}
