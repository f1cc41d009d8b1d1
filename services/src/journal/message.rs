//! What makes a message acceptable: its limits, checked on the bytes it came in.

use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint};

/// Most bytes of one message, and of all messages of one request.
pub(super) const LARGEST: usize = 1 << 20;
/// Most bytes of `id`, `source`, `type` and `subject`.
const LONGEST_NAME: usize = 256;
/// Seconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, as the type Timestamp allows.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Names of the fields of `passerelle.bus.v1.Message` by number; empty where there is none.
const FIELDS: [&str; 21] = [
    "",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "data_content_type",
    "data_schema",
    "customer",
    "channel",
    "reason",
    "contract",
    "correlation_id",
    "causation_id",
    "traceparent",
    "tracestate",
    "deadline",
    "priority",
    "attempts_left",
    "",
    "data",
];

/// What names a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Identity<'a> {
    pub(super) id: &'a str,
    pub(super) source: &'a str,
}

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("it has {0} bytes, at most {LARGEST} are taken; leave larger bodies where they are and refer to them")]
    TooLarge(usize),
    #[error("{field} is missing; {why}")]
    Missing { field: &'static str, why: &'static str },
    #[error("{field} has {length} bytes, at most {LONGEST_NAME} are taken")]
    TooLong { field: &'static str, length: usize },
    #[error("{0} has a control character")]
    Control(&'static str),
    #[error("{0} is no UTF-8")]
    NoText(&'static str),
    #[error("{0} is no moment between the years 1 and 9999")]
    NoMoment(&'static str),
    #[error("priority is {0}, 0 to 9 are known")]
    Priority(u64),
    #[error("it is no passerelle.bus.v1.Message: {0}")]
    Broken(&'static str),
}

/// Checks that `wire` is a message that any decoder takes and that keeps its limits; says what names it.
pub(super) fn check(wire: &[u8]) -> Result<Identity<'_>, Fault> {
    if wire.len() > LARGEST {
        return Err(Fault::TooLarge(wire.len()));
    }
    let mut identity = Identity::default();
    let mut typed = false;
    let mut rest = wire;
    while !rest.is_empty() {
        let (number, wire_type) = decode_key(&mut rest).map_err(|_| Fault::Broken("a field has no number"))?;
        let field = FIELDS.get(number as usize).copied().unwrap_or_default();
        match (number, wire_type) {
            (1, WireType::LengthDelimited) => identity.id = name(field, bytes(&mut rest)?)?,
            (2, WireType::LengthDelimited) => identity.source = name(field, bytes(&mut rest)?)?,
            (3, WireType::LengthDelimited) => typed = !name(field, bytes(&mut rest)?)?.is_empty(),
            (4, WireType::LengthDelimited) => drop(name(field, bytes(&mut rest)?)?),
            (5 | 16, WireType::LengthDelimited) => moment(field, bytes(&mut rest)?)?,
            (17, WireType::Varint) => priority(varint(&mut rest)?)?,
            (18, WireType::Varint) => drop(varint(&mut rest)?),
            (20, WireType::LengthDelimited) => drop(bytes(&mut rest)?),
            (6..=15, WireType::LengthDelimited) => drop(text(field, bytes(&mut rest)?)?),
            _ if !field.is_empty() => return Err(Fault::Broken("a field is not of its type")),
            _ => skip(wire_type, &mut rest)?,
        }
    }
    let why = "source and id name a message, so that it is written once";
    match (identity.id, identity.source) {
        ("", _) => Err(Fault::Missing { field: "id", why }),
        (_, "") => Err(Fault::Missing { field: "source", why }),
        _ if !typed => Err(Fault::Missing { field: "type", why: "write what happened, as a name with dots" }),
        _ => Ok(identity),
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    decode_varint(rest).map_err(|_| Fault::Broken("a number has no end"))
}

fn bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let length = usize::try_from(varint(rest)?).unwrap_or(usize::MAX);
    let Some((field, after)) = rest.split_at_checked(length) else {
        return Err(Fault::Broken("a field is longer than the message"));
    };
    *rest = after;
    Ok(field)
}

fn text<'a>(field: &'static str, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::NoText(field))
}

/// An attribute that CloudEvents knows: short, and without control characters.
fn name<'a>(field: &'static str, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    if bytes.len() > LONGEST_NAME {
        return Err(Fault::TooLong { field, length: bytes.len() });
    }
    let text = text(field, bytes)?;
    match text.chars().any(char::is_control) {
        true => Err(Fault::Control(field)),
        false => Ok(text),
    }
}

fn moment(field: &'static str, mut rest: &[u8]) -> Result<(), Fault> {
    while !rest.is_empty() {
        let (number, wire_type) = decode_key(&mut rest).map_err(|_| Fault::Broken("a moment has a field without number"))?;
        match (number, wire_type) {
            // The wire has signed numbers as their two's complement.
            (1, WireType::Varint) if SECONDS.contains(&(varint(&mut rest)? as i64)) => {}
            (2, WireType::Varint) if (0..1_000_000_000).contains(&(varint(&mut rest)? as i32)) => {}
            (1 | 2, WireType::Varint) => return Err(Fault::NoMoment(field)),
            (1 | 2, _) => return Err(Fault::Broken("a moment's field is not of its type")),
            _ => skip(wire_type, &mut rest)?,
        }
    }
    Ok(())
}

fn priority(value: u64) -> Result<(), Fault> {
    if value > 9 { Err(Fault::Priority(value)) } else { Ok(()) }
}

/// Passes over a field of a later version.
fn skip(wire_type: WireType, rest: &mut &[u8]) -> Result<(), Fault> {
    let fixed = match wire_type {
        WireType::Varint => return varint(rest).map(drop),
        WireType::LengthDelimited => return bytes(rest).map(drop),
        WireType::ThirtyTwoBit => 4,
        WireType::SixtyFourBit => 8,
        WireType::StartGroup | WireType::EndGroup => return Err(Fault::Broken("it has a group")),
    };
    if rest.len() < fixed {
        return Err(Fault::Broken("a field is longer than the message"));
    }
    rest.advance(fixed);
    Ok(())
}
