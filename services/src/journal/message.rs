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
const FIELDS: [&str; 28] = [
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
    "",
    "",
    "",
    "",
    "sequence_number",
    "sequence_size",
    "history",
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
            (18 | 25 | 26, WireType::Varint) => drop(varint(&mut rest)?),
            (20, WireType::LengthDelimited) => drop(bytes(&mut rest)?),
            (6..=15, WireType::LengthDelimited) => drop(text(field, bytes(&mut rest)?)?),
            (27, WireType::LengthDelimited) => drop(name(field, bytes(&mut rest)?)?),
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
    // Nearly all names are ASCII, where this is a look at bytes.
    let control =
        if text.is_ascii() { text.bytes().any(|byte| byte.is_ascii_control()) } else { text.chars().any(char::is_control) };
    if control { Err(Fault::Control(field)) } else { Ok(text) }
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

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use passerelle_proto::bus::v1;
    use proptest::prelude::*;
    use prost::Message;
    use prost_types::Timestamp;

    use super::*;

    fn right() -> v1::Message {
        v1::Message { id: "1".to_owned(), source: "/web".to_owned(), r#type: "a.b".to_owned(), ..Default::default() }
    }

    fn refused(change: impl Fn(&mut v1::Message), expected: Expect) {
        let mut message = right();
        change(&mut message);
        expected.assert_eq(&check(&message.encode_to_vec()).unwrap_err().to_string());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_field() {
        refused(|message| message.id.clear(), expect!["id is missing; source and id name a message, so that it is written once"]);
        refused(
            |message| message.source.clear(),
            expect!["source is missing; source and id name a message, so that it is written once"],
        );
        refused(|message| message.r#type.clear(), expect!["type is missing; write what happened, as a name with dots"]);
        refused(|message| message.subject = "é".repeat(129), expect!["subject has 258 bytes, at most 256 are taken"]);
        refused(|message| message.id = "a\nb".to_owned(), expect!["id has a control character"]);
        refused(|message| message.priority = 10, expect!["priority is 10, 0 to 9 are known"]);
        let moment = |seconds, nanos| Some(Timestamp { seconds, nanos });
        refused(|message| message.time = moment(0, -1), expect!["time is no moment between the years 1 and 9999"]);
        refused(|message| message.deadline = moment(1 << 60, 0), expect!["deadline is no moment between the years 1 and 9999"]);
        refused(
            |message| message.data = vec![0; LARGEST].into(),
            expect!["it has 1048595 bytes, at most 1048576 are taken; leave larger bodies where they are and refer to them"],
        );
        let broken = [&[0x0a, 1, 0xff][..], &[0x0a, 5, b'a'], &[0x08, 1], &[0x00], &[0x0b, 0x0c], &[0x0a, 0xff], &[0xfd, 1, 0]];
        let answers: Vec<String> = broken.iter().map(|wire| check(wire).unwrap_err().to_string()).collect();
        expect![[r#"
            id is no UTF-8
            it is no passerelle.bus.v1.Message: a field is longer than the message
            it is no passerelle.bus.v1.Message: a field is not of its type
            it is no passerelle.bus.v1.Message: a field has no number
            it is no passerelle.bus.v1.Message: a field is not of its type
            it is no passerelle.bus.v1.Message: a number has no end
            it is no passerelle.bus.v1.Message: a field is longer than the message"#]]
        .assert_eq(&answers.join("\n"));
    }

    #[test]
    fn the_fields_are_those_of_the_contract() {
        let pool = prost_reflect::DescriptorPool::decode(passerelle_proto::DESCRIPTORS).expect("our own contracts");
        let message = pool.get_message_by_name("passerelle.bus.v1.Message").expect("it is one of them");
        let declared: Vec<(usize, String)> =
            message.fields().map(|field| (field.number() as usize, field.name().to_owned())).collect();
        let known = FIELDS.iter().enumerate().filter(|(_, name)| !name.is_empty());
        assert_eq!(declared, known.map(|(number, name)| (number, (*name).to_owned())).collect::<Vec<_>>());
    }

    prop_compose! {
        fn messages()(
            names in prop::array::uniform4("[a-z/.]{0,5}"),
            texts in prop::array::uniform4("\\PC{0,3}"),
            time in prop::option::of((-5_i64..5, 0_i32..5)),
            numbers in (0_u32..9, any::<u32>()),
            data in prop::collection::vec(any::<u8>(), 0..20),
        ) -> v1::Message {
            let [id, source, kind, subject] = names;
            let [customer, channel, data_schema, tracestate] = texts;
            v1::Message {
                id, source, r#type: kind, subject, customer, channel, data_schema, tracestate,
                time: time.map(|(seconds, nanos)| Timestamp { seconds, nanos }),
                priority: numbers.0,
                attempts_left: numbers.1,
                data: data.into(),
                ..Default::default()
            }
        }
    }

    proptest! {
        /// Else a record would be written that nobody can read.
        #[test]
        fn what_is_taken_is_what_a_decoder_reads(
            message in messages(),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            cut in prop::option::of(any::<prop::sample::Index>()),
            unknown in prop::collection::vec(any::<u8>(), 0..6),
        ) {
            let mut wire = message.encode_to_vec();
            wire.extend(unknown);
            for (index, value) in flips.into_iter().filter(|_| !message.id.is_empty()) {
                let at = index.index(wire.len());
                wire[at] = value;
            }
            if let (Some(cut), false) = (cut, wire.is_empty()) {
                wire.truncate(cut.index(wire.len()));
            }
            if let Ok(identity) = check(&wire) {
                let decoded = v1::Message::decode(wire.as_slice());
                prop_assert!(decoded.is_ok(), "{decoded:?}");
                let decoded = decoded.unwrap();
                prop_assert_eq!(identity, Identity { id: &decoded.id, source: &decoded.source });
            }
        }

        #[test]
        fn a_message_that_keeps_the_rules_is_taken(mut message in messages()) {
            message.id.push('1');
            message.source.push('/');
            message.r#type.push('t');
            let wire = message.encode_to_vec();
            prop_assert_eq!(check(&wire), Ok(Identity { id: &message.id, source: &message.source }));
        }
    }
}
