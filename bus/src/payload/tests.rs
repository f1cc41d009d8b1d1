//! Messages there and back: one with every kind of field, and each rule's error.

use std::collections::HashMap;

use expect_test::{Expect, expect};
use fastrand::Rng;
use passerelle_feel::{Environment, Expression, Scope, Value};
use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MapKey, MessageDescriptor, Value as Field};

use super::{from_value, to_value};
use crate::contract::fixture::compile;

const EVERYTHING: &str = r#"
syntax = "proto3"; package test;
import "google/protobuf/any.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto"; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
import "google/protobuf/empty.proto"; import "google/type/all.proto";
enum Colour { COLOUR_UNSPECIFIED = 0; RED = 1; DEEP_BLUE = 7; }
message Small { int32 number = 1; optional string note = 2; }
message Everything {
  double f64 = 1; float f32 = 2; int32 i32 = 3; int64 i64 = 4; uint32 u32 = 5; uint64 u64 = 6; sint32 s32 = 7; sint64 s64 = 8;
  fixed32 x32 = 9; fixed64 x64 = 10; sfixed32 sx32 = 11; sfixed64 sx64 = 12; bool flag = 13; string text = 14; bytes raw = 15;
  Colour colour = 16; Small small = 17; Everything inner = 18;
  optional int32 maybe = 19; optional string maybe_text = 20; optional Colour maybe_colour = 21;
  repeated double f64s = 22; repeated uint64 u64s = 23; repeated string texts = 24; repeated Colour colours = 25; repeated Small smalls = 26;
  map<string, Small> by_name = 27; map<int64, string> by_number = 28; map<bool, Colour> by_flag = 29; map<uint64, bytes> by_large = 30;
  oneof choice { string one_text = 31; uint32 one_number = 32; Small one_small = 33; }
  google.protobuf.Timestamp at = 40; google.protobuf.Duration lasts = 41; google.protobuf.Struct object = 42;
  google.protobuf.Value anything = 43; google.protobuf.ListValue list = 44; google.protobuf.Any any = 45;
  google.protobuf.FieldMask mask = 46; google.protobuf.Empty empty = 47;
  google.protobuf.Int64Value wrapped = 48; google.protobuf.StringValue wrapped_text = 49; google.protobuf.BytesValue wrapped_bytes = 50;
  google.protobuf.DoubleValue wrapped_double = 51;
  google.type.Date day = 60; google.type.TimeOfDay clock = 61; google.type.DateTime moment = 62; google.type.Money price = 63;
  google.type.Decimal decimal = 64; google.type.Interval interval = 65;
  repeated google.protobuf.Timestamp ats = 70; map<string, google.protobuf.Value> anythings = 71;
}
"#;

const TYPES: &str = r#"
syntax = "proto3"; package google.type;
import "google/protobuf/duration.proto"; import "google/protobuf/timestamp.proto";
message Date { int32 year = 1; int32 month = 2; int32 day = 3; }
message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }
message TimeZone { string id = 1; string version = 2; }
message DateTime { int32 year = 1; int32 month = 2; int32 day = 3; int32 hours = 4; int32 minutes = 5; int32 seconds = 6; int32 nanos = 7;
  oneof time_offset { google.protobuf.Duration utc_offset = 8; TimeZone time_zone = 9; } }
message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }
message Decimal { string value = 1; }
message Interval { google.protobuf.Timestamp start_time = 1; google.protobuf.Timestamp end_time = 2; }
"#;

fn everything() -> MessageDescriptor {
    let files = compile(&[("google/type/all.proto", TYPES), ("everything.proto", EVERYTHING)]);
    DescriptorPool::decode(files.as_slice()).unwrap().get_message_by_name("test.Everything").unwrap()
}

/// Messages of random content; what a type rules out is not made.
struct Random(Rng);

impl Random {
    fn message(&mut self, of: &MessageDescriptor, depth: u32) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        if let Some(fields) = self.well_known(of, depth) {
            fields.into_iter().for_each(|(name, value)| message.set_field_by_name(name, value));
            return message;
        }
        for field in of.fields() {
            let chance = if field.containing_oneof().is_some() { 0.3 } else { 0.6 };
            if self.0.f64() > chance || (depth == 0 && matches!(field.kind(), Kind::Message(_))) {
                continue;
            }
            let count = self.0.usize(0..4);
            let value = if field.is_map() {
                let entry = field.kind().as_message().unwrap().clone();
                let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
                let entries = (0..count).map(|_| (self.key(&key), self.value(&value, depth)));
                Field::Map(entries.collect::<HashMap<_, _>>())
            } else if field.is_list() {
                Field::List((0..count).map(|_| self.value(&field.kind(), depth)).collect())
            } else {
                self.value(&field.kind(), depth)
            };
            message.set_field(&field, value);
        }
        message
    }

    fn key(&mut self, kind: &Kind) -> MapKey {
        match self.value(kind, 0) {
            Field::Bool(value) => MapKey::Bool(value),
            Field::I64(value) => MapKey::I64(value),
            Field::U64(value) => MapKey::U64(value),
            Field::String(value) => MapKey::String(value),
            other => unreachable!("{other:?}"),
        }
    }

    fn text(&mut self) -> String {
        (0..self.0.usize(0..6)).map(|_| *['a', 'é', '"', ' ', '\n', '🙂', 'Z', '\0'].get(self.0.usize(0..8)).unwrap()).collect()
    }

    fn double(&mut self) -> f64 {
        let edges = [0.0, 0.1, -1.5, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e23, 9_007_199_254_740_993.0];
        let any = f64::from_bits(self.0.u64(..));
        if self.0.bool() || !any.is_finite() { edges[self.0.usize(0..edges.len())] } else { any }
    }

    fn value(&mut self, kind: &Kind, depth: u32) -> Field {
        let edge = self.0.bool();
        match kind {
            Kind::Double => Field::F64(self.double()),
            Kind::Float => Field::F32(match f32::from_bits(self.0.u32(..)) {
                any if any.is_finite() && !edge => any,
                _ => [0.0, 0.1, f32::MAX, 1e-45, 16_777_217.0][self.0.usize(0..5)],
            }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Field::I32(if edge { i32::MIN } else { self.0.i32(..) }),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Field::I64(if edge { i64::MIN } else { self.0.i64(..) }),
            Kind::Uint32 | Kind::Fixed32 => Field::U32(if edge { u32::MAX } else { self.0.u32(..) }),
            Kind::Uint64 | Kind::Fixed64 => Field::U64(if edge { u64::MAX } else { self.0.u64(..) }),
            Kind::Bool => Field::Bool(edge),
            Kind::String => Field::String(self.text()),
            Kind::Bytes => Field::Bytes((0..self.0.usize(0..5)).map(|_| self.0.u8(..)).collect::<Vec<_>>().into()),
            // 3 has no name.
            Kind::Enum(_) => Field::EnumNumber([0, 1, 7, 3][self.0.usize(0..4)]),
            Kind::Message(of) => Field::Message(self.message(of, depth.saturating_sub(1))),
        }
    }

    fn well_known(&mut self, of: &MessageDescriptor, depth: u32) -> Option<Vec<(&'static str, Field)>> {
        let nanos = self.0.i32(0..1_000_000_000);
        let inner = |name: &str| of.get_field_by_name(name).unwrap().kind();
        let part = |name, value| (name, Field::I32(value));
        let sign = if self.0.bool() { 1 } else { -1 };
        Some(match of.full_name() {
            "google.protobuf.Timestamp" => {
                vec![("seconds", Field::I64(self.0.i64(-62_135_596_800..253_402_300_800))), part("nanos", nanos)]
            }
            "google.protobuf.Duration" => {
                vec![("seconds", Field::I64(sign * self.0.i64(0..315_576_000_000))), part("nanos", sign as i32 * nanos)]
            }
            "google.protobuf.Value" => vec![match self.0.u8(0..if depth == 0 { 3 } else { 5 }) {
                0 => ("number_value", Field::F64(self.double())),
                1 => ("string_value", Field::String(self.text())),
                2 => ("bool_value", Field::Bool(self.0.bool())),
                3 => ("struct_value", self.value(&inner("struct_value"), depth)),
                _ => ("list_value", self.value(&inner("list_value"), depth)),
            }],
            "google.protobuf.Any" => {
                let small = of.parent_pool().get_message_by_name("test.Small");
                match small.filter(|_| self.0.bool()) {
                    Some(small) => vec![
                        ("type_url", Field::String("type.googleapis.com/test.Small".to_owned())),
                        ("value", Field::Bytes(self.message(&small, 0).encode_to_vec().into())),
                    ],
                    None => {
                        vec![("type_url", Field::String("elsewhere/un.Known".to_owned())), ("value", self.value(&Kind::Bytes, 0))]
                    }
                }
            }
            "google.type.Date" if self.0.bool() => {
                vec![part("year", self.0.i32(1..10_000)), part("month", self.0.i32(1..13)), part("day", self.0.i32(1..29))]
            }
            "google.type.DateTime" => {
                let mut fields = vec![part("year", self.0.i32(1..10_000)), part("month", self.0.i32(1..13))];
                fields.extend([part("day", self.0.i32(0..29)), part("hours", self.0.i32(0..25)), part("nanos", nanos)]);
                let mut zone = |name: &'static str, id: &str| {
                    let mut zone = DynamicMessage::new(inner(name).as_message().unwrap().clone());
                    match id {
                        "" => zone.set_field_by_name("seconds", Field::I64(self.0.i64(-60_000..60_000))),
                        id => zone.set_field_by_name("id", Field::String(id.to_owned())),
                    }
                    (name, Field::Message(zone))
                };
                fields.extend(match nanos % 4 {
                    0 => None,
                    1 => Some(zone("utc_offset", "")),
                    2 => Some(zone("time_zone", "Europe/Paris")),
                    _ => Some(zone("time_zone", "Nowhere/Known")),
                });
                fields
            }
            "google.type.Money" => vec![
                ("currency_code", Field::String("EUR".to_owned())),
                ("units", Field::I64(sign * self.0.i64(0..i64::MAX))),
                part("nanos", sign as i32 * nanos),
            ],
            "google.type.Decimal" => vec![("value", Field::String(format!("{}", i128::from(self.0.i64(..)) * 1_000_000_007)))],
            _ => return None,
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_message_with_every_kind_of_field_comes_back_as_it_was(seed in any::<u64>()) {
        let of = everything();
        let message = Random(Rng::with_seed(seed)).message(&of, 3);
        let message = DynamicMessage::decode(of.clone(), message.encode_to_vec().as_slice()).unwrap();
        let value = to_value(&message).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(super::type_of(&of).admits(&value));
        let again = from_value(&value, &of).map_err(|error| TestCaseError::fail(error.to_string()))?;
        // The library's Debug follows a message that contains itself until the stack is gone.
let different = of.fields().filter(|field| message.get_field(field) != again.get_field(field));
        let different: Vec<String> = different.map(|field| field.name().to_owned()).collect();
        prop_assert!(again == message, "{different:?} of {value}");
    }
}

fn feel(text: &str) -> Value {
    let expression = Expression::compile(text, &Scope::default()).unwrap();
    expression.evaluate(&[], &Environment::timeless()).unwrap().value
}

#[test]
fn numbers_that_are_none_stay_what_they_are() {
    let of = everything();
    let mut message = DynamicMessage::new(of.clone());
    message.set_field_by_name("f64", Field::F64(f64::NEG_INFINITY));
    message.set_field_by_name("f32", Field::F32(f32::INFINITY));
    message.set_field_by_name("f64s", Field::List(vec![Field::F64(f64::NAN)]));
    let value = to_value(&message).unwrap();
    let again = from_value(&value, &of).unwrap();
    assert_eq!(again.encode_to_vec(), message.encode_to_vec());
}

#[test]
fn values_read_as_people_write_them() {
    let of = everything();
    let mut message = DynamicMessage::new(of.clone());
    let set = |message: &mut DynamicMessage, name: &str, entries: &str| {
        let inner = of.get_field_by_name(name).unwrap().kind().as_message().unwrap().clone();
        message.set_field_by_name(
            name,
            Field::Message(
                super::write::fields(
                    match &feel(entries) {
                        Value::Context(context) => context,
                        other => panic!("{other:?}"),
                    },
                    &inner,
                )
                .unwrap(),
            ),
        );
    };
    set(&mut message, "at", "{seconds: 1700000000, nanos: 5000000}");
    set(&mut message, "price", "{currency_code: \"EUR\", units: -12, nanos: -340000000}");
    set(&mut message, "clock", "{hours: 24}");
    message.set_field_by_name("f32", Field::F32(0.1));
    message.set_field_by_name("u64", Field::U64(u64::MAX));
    message.set_field_by_name("colour", Field::EnumNumber(7));
    message.set_field_by_name("raw", Field::Bytes(vec![0xff, 0xfe].into()));
    let Value::Context(value) = to_value(&message).unwrap() else { panic!("no context") };
    let shown: Vec<String> = ["at", "price", "clock", "f32", "u64", "colour", "raw", "maybe", "texts", "wrapped"]
        .into_iter()
        .map(|name| format!("{name}: {}", value.get(name).unwrap()))
        .collect();
    expect![[r#"
        at: 2023-11-14T22:13:20.005Z
        price: {currency_code: "EUR", amount: -12.34}
        clock: {hours: 24, minutes: 0, seconds: 0, nanos: 0}
        f32: 0.1
        u64: 18446744073709551615
        colour: DEEP_BLUE
        raw: //4=
        maybe: null
        texts: []
        wrapped: null"#]]
    .assert_eq(&shown.join("\n"));
}

fn refused(text: &str, expected: Expect) {
    expected.assert_eq(&from_value(&feel(text), &everything()).unwrap_err().to_string());
}

#[test]
fn what_does_not_fit_is_refused_by_its_path_and_never_by_its_value() {
    let secret = from_value(&feel("{smalls: [{}, {number: 99999999999}]}"), &everything()).unwrap_err();
    assert!(!secret.to_string().contains("9999"), "{secret}");
    assert_eq!(secret.path(), "smalls[1].number");
    refused(
        "{smalls: [{}, {number: 99999999999}]}",
        expect!["smalls[1].number: the number is out of the range of an integer of 32 bits"],
    );
    refused("{u64: -1}", expect!["u64: the number is out of the range of an integer of 64 bits without a sign"]);
    refused("{i32: 1.5}", expect!["i32: the number is not whole, as an integer of 32 bits has to be: round it"]);
    refused("{f32: 1e39}", expect!["f32: the number is out of the range of float"]);
    refused("{colour: \"GREEN\"}", expect!["colour: test.Colour has no such value (it has: COLOUR_UNSPECIFIED, RED, DEEP_BLUE)"]);
    refused("{small: {nummer: 1}}", expect!["small: an entry of the context is no field of test.Small (it has: number, note)"]);
    refused(
        "{one_text: \"a\", one_number: 1}",
        expect!["one_number: of the oneof choice two fields have values, where one can have"],
    );
    refused("{text: 5}", expect!["text: takes a string, and there is a number"]);
    refused("{texts: \"a\"}", expect!["texts: takes a list, and there is a string"]);
    refused("{texts: [null]}", expect!["texts[0]: takes a string, and there is a null"]);
    refused("{by_number: {\"Ann\": \"a\"}}", expect!["by_number.*: a key of the map is not of its type"]);
    refused("{raw: \"no base64\"}", expect!["raw: the text is no base64, as bytes are written"]);
    refused(
        "{at: @\"2024-01-01T00:00:00\"}",
        expect!["at: a date and time without a zone is no moment: give it an offset or a zone"],
    );
    refused(
        "{price: {amount: 0.0000000001}}",
        expect!["price.amount: a Money has nine digits behind the point at most: round it"],
    );
    refused("{any: {}}", expect![[r#"any: an Any is a context with an entry `@type`: "type.googleapis.com/package.Message""#]]);
    refused("5", expect!["takes a context, and there is a number"]);
}
