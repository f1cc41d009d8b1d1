//! Fields read off the wire against the same fields of decoded messages.

use passerelle_feel::Value;
use proptest::prelude::*;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{DynamicMessage, Value as Decoded};

use super::super::fixture::{asked, shown};
use super::{FieldPath, Peek, PeekError};
use crate::payload::to_value;

const PATHS: [&str; 31] = [
    "name",
    "amount",
    "urgent",
    "note",
    "kind",
    "customer",
    "customer.segment",
    "customer.score",
    "customer.partner.segment",
    "items",
    "items.price",
    "items.tags",
    "labels",
    "labels.tier",
    "mail",
    "other",
    "other.id",
    "call",
    "codes",
    "rate",
    "delta",
    "big",
    "raw",
    "at",
    "stock",
    "nick",
    "kinds",
    "f32",
    "f64",
    "ratio",
    "rates",
];

fn paths(names: &[&str]) -> Vec<FieldPath> {
    let asked = asked();
    names.iter().map(|name| FieldPath::resolve(&asked, &name.split('.').collect::<Vec<_>>()).unwrap().0).collect()
}

fn peek(names: &[&str], message: &[u8]) -> Result<Vec<String>, PeekError> {
    let values = Peek::new(&asked(), &paths(names)).read(message)?;
    Ok(values.iter().map(shown).collect())
}

/// What decoding gives for a path.
fn decoded(message: &DynamicMessage, path: &FieldPath) -> Value {
    let (first, rest) = path.fields.split_first().unwrap();
    let below =
        |value: &Decoded| decoded(value.as_message().unwrap(), &FieldPath { fields: rest.to_vec(), key: path.key.clone() });
    let field = message.get_field(first);
    match (&*field, rest) {
        (Decoded::List(items), [_, ..]) => Value::list(items.iter().map(below).collect()),
        (_, [_, ..]) if !message.has_field(first) => Value::Null,
        (inner, [_, ..]) => below(inner),
        (_, []) => {
            let Value::Context(fields) = to_value(message).unwrap() else { panic!("a message of the desk's is a context") };
            let value = fields.get(first.name()).cloned().unwrap();
            match (&path.key, &value) {
                (Some(key), Value::Context(entries)) => entries.get(key).cloned().unwrap_or(Value::Null),
                _ => value,
            }
        }
    }
}

/// Context entries in no particular order: those of maps have none.
fn normal(value: &Value) -> String {
    let mut json = passerelle_feel::to_json(value);
    json.sort_all_objects();
    json.to_string()
}

/// One field on the wire, of any number and any sort that a decoder takes.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let text = proptest::sample::select(vec![&b"gold"[..], b"tier", b"", b"\xc3\xa9t\xc3\xa9"]);
    let customer = proptest::collection::vec((1_u32..=5, text.clone(), any::<i32>()), 0..4).prop_map(|parts| {
        let mut bytes = Vec::new();
        for (number, text, score) in parts {
            match number {
                1 | 2 => chunk(number, text, &mut bytes),
                3 => varint(3, score as i64 as u64, &mut bytes),
                4 => {
                    let mut inner = Vec::new();
                    chunk(2, text, &mut inner);
                    chunk(4, &inner, &mut bytes);
                }
                _ => varint(99, 7, &mut bytes),
            }
        }
        bytes
    });
    let scalar =
        (prop_oneof![Just(2_u32), Just(3), Just(5), Just(11), Just(12), Just(14), Just(15), Just(20), Just(90)], any::<i64>());
    prop_oneof![
        scalar.prop_map(|(number, value)| {
            let mut bytes = Vec::new();
            // Enumerations and booleans mostly of values that have a name.
            let value = if matches!(number, 3 | 5 | 20) { value.rem_euclid(4) } else { value };
            varint(number, value as u64, &mut bytes);
            bytes
        }),
        (prop_oneof![Just(1_u32), Just(4), Just(9), Just(16), Just(91)], text.clone())
            .prop_map(|(number, text)| one(number, text)),
        (prop_oneof![Just(6_u32), Just(10)], customer).prop_map(|(number, inner)| one(number, &inner)),
        (text.clone(), any::<i32>(), text.clone()).prop_map(|(sku, price, tag)| {
            let mut inner = Vec::new();
            chunk(1, sku, &mut inner);
            varint(2, price as i64 as u64, &mut inner);
            chunk(3, tag, &mut inner);
            one(7, &inner)
        }),
        (text.clone(), text.clone()).prop_map(|(key, value)| {
            let mut inner = Vec::new();
            chunk(1, key, &mut inner);
            chunk(2, value, &mut inner);
            one(8, &inner)
        }),
        (0_i64..3, text.clone()).prop_map(|(key, sku)| {
            let (mut inner, mut item) = (Vec::new(), Vec::new());
            chunk(1, sku, &mut item);
            varint(1, key as u64, &mut inner);
            chunk(2, &item, &mut inner);
            one(18, &inner)
        }),
        proptest::collection::vec(any::<i32>(), 0..4).prop_map(|codes| {
            let mut packed = Vec::new();
            codes.iter().for_each(|code| encode_varint(i64::from(*code) as u64, &mut packed));
            one(12, &packed)
        }),
        (prop_oneof![Just(13_u32), Just(22)], -1.0e9..1.0e9).prop_map(|(number, value)| {
            let mut bytes = Vec::new();
            encode_key(number, WireType::SixtyFourBit, &mut bytes);
            bytes.extend_from_slice(&f64::to_le_bytes(value));
            bytes
        }),
        (prop_oneof![Just(21_u32), Just(23)], -1.0e9_f32..1.0e9).prop_map(|(number, value)| {
            let mut bytes = Vec::new();
            encode_key(number, WireType::ThirtyTwoBit, &mut bytes);
            bytes.extend_from_slice(&value.to_le_bytes());
            bytes
        }),
        (0_i64..4_000_000_000, 0_i64..1_000_000_000).prop_map(|(seconds, nanos)| {
            let mut inner = Vec::new();
            varint(1, seconds as u64, &mut inner);
            varint(2, nanos as u64, &mut inner);
            one(17, &inner)
        }),
        text.prop_map(|text| one(19, &one(1, text))),
    ]
}

fn varint(number: u32, value: u64, into: &mut Vec<u8>) {
    encode_key(number, WireType::Varint, into);
    encode_varint(value, into);
}

fn chunk(number: u32, bytes: &[u8], into: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, into);
    encode_varint(bytes.len() as u64, into);
    into.extend_from_slice(bytes);
}

fn one(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    chunk(number, bytes, &mut all);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_read_off_the_wire_is_what_decoding_gives(fields in proptest::collection::vec(field(), 0..12)) {
        let bytes = fields.concat();
        let message = DynamicMessage::decode(asked(), bytes.as_slice()).unwrap();
        let paths = paths(&PATHS);
        let read = Peek::new(&asked(), &paths).read(&bytes).unwrap();
        for ((name, path), value) in PATHS.iter().zip(&paths).zip(&read) {
            prop_assert_eq!(normal(value), normal(&decoded(&message, path)), "{}", name);
        }
    }

    #[test]
    fn no_bytes_are_more_than_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Peek::new(&asked(), &paths(&PATHS)).read(&bytes);
    }
}

#[test]
fn a_message_without_fields_has_defaults_and_what_can_be_absent_is_null() {
    let names =
        ["name", "amount", "urgent", "note", "kind", "customer", "customer.segment", "items", "items.price", "labels", "mail"];
    let read = peek(&names, b"").unwrap();
    assert_eq!(read, ["\"\"", "0", "false", "null", "\"KIND_UNSPECIFIED\"", "null", "null", "[]", "[]", "{}", "null"]);
    // The customer is there, and empty.
    let read = peek(&["customer.segment", "customer.score", "customer.partner.segment"], &one(6, b"")).unwrap();
    assert_eq!(read, ["\"\"", "null", "null"]);
}

#[test]
fn bytes_that_are_no_message_are_told_with_their_place() {
    let cases: [(&[u8], &str); 6] = [
        (b"\x0a\x05abc", "a field is longer than what is left (at byte 2)"),
        (b"\x10\xff\xff", "it ends within a number (at byte 1)"),
        (b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "a number has more than 64 bits (at byte 1)"),
        (b"\x0a\x02\xff\xfe", "a text is not UTF-8 (at byte 2)"),
        (b"\x00\x01", "a field has the number 0 (at byte 1)"),
        (b"\x32\x03\x12\x05a", "a field is longer than what is left (at byte 4)"),
    ];
    for (bytes, expected) in cases {
        let error = peek(&["name", "amount", "customer.segment"], bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("the request message is malformed: {expected}"));
    }
}

#[test]
fn groups_are_passed_over_and_wrong_ones_refused() {
    // A group 30 with a text in it, then the name.
    let mut bytes = vec![0xf3, 0x01, 0x0a, 0x01, b'x', 0xf4, 0x01];
    bytes.extend(one(1, b"desk"));
    assert_eq!(peek(&["name"], &bytes).unwrap(), ["\"desk\""]);
    let endless = [0xf3, 0x01].repeat(1_000);
    assert!(peek(&["name"], &endless).is_err());
}

#[test]
fn a_message_with_more_values_than_may_be_made_is_refused() {
    let codes = one(12, &[1; 10_001]);
    assert_eq!(peek(&["codes"], &codes), Err(PeekError::TooMany));
    // Where nobody asks for them they do no harm.
    assert_eq!(peek(&["name"], &codes).unwrap(), ["\"\""]);
}

#[test]
fn what_is_taken_whole_is_bounded_in_depth_and_bytes() {
    let nested = (0..200).fold(Vec::new(), |inner, _| one(4, &inner));
    let message = one(6, &nested);
    let error = peek(&["customer"], &message).unwrap_err();
    assert!(error.to_string().contains("cannot be decoded"), "{error}");
    assert_eq!(peek(&["customer.segment"], &message).unwrap(), ["\"\""]);
    let large = one(6, &one(1, &vec![b'x'; 70_000]));
    assert_eq!(peek(&["customer"], &large), Err(PeekError::TooLarge));
    assert_eq!(peek(&["customer.segment"], &large).unwrap(), ["\"\""]);
}
