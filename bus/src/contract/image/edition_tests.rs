//! Editions: each feature reads and writes the same bytes as the proto2 or proto3 that it stands for.

use expect_test::{Expect, expect};
use prost::Message;
use prost_reflect::{Cardinality, DynamicMessage, Value};

use super::raw::{EnumType, EnumValue, Field, File, MessageType, Oneof, Set, TYPE_MESSAGE};
use super::*;

const STRING: i32 = 9;
const INT32: i32 = 5;

/// Features on the wire: presence, repeated encoding, message encoding; 0 for one that is not said.
fn features(presence: u8, repeated: u8, encoding: u8) -> Vec<u8> {
    let said = [(0x08, presence), (0x18, repeated), (0x28, encoding)];
    said.iter().filter(|(_, value)| *value > 0).flat_map(|&(key, value)| [key, value]).collect()
}

/// `FieldOptions.features` (21).
fn on_field(features: &[u8]) -> Vec<Vec<u8>> {
    vec![[&[0xaa, 0x01, features.len() as u8], features].concat()]
}

/// `FileOptions.features` (50).
fn on_file(features: &[u8]) -> Vec<Vec<u8>> {
    vec![[&[0x92, 0x03, features.len() as u8], features].concat()]
}

/// `MessageOptions.features` (12).
fn on_message(features: &[u8]) -> Vec<Vec<u8>> {
    vec![[&[0x62, features.len() as u8], features].concat()]
}

fn field(name: &str, number: i32, label: i32, code: i32) -> Field {
    Field { name: Some(name.to_owned()), number: Some(number), label: Some(label), r#type: Some(code), ..Field::default() }
}

fn of_type(type_name: &str, field: Field) -> Field {
    Field { type_name: Some(type_name.to_owned()), ..field }
}

fn edition(number: i32, fields: Vec<Field>) -> File {
    let message = MessageType { name: Some("M".to_owned()), field: fields, ..MessageType::default() };
    File {
        name: Some("a.proto".to_owned()),
        syntax: Some("editions".to_owned()),
        edition: Some(number),
        message_type: vec![message],
        ..File::default()
    }
}

fn decoded(file: File) -> Image {
    Image::decode(Set { file: vec![file] }.encode_to_vec()).unwrap()
}

fn refused(file: File, expected: Expect) {
    expected.assert_eq(&Image::decode(Set { file: vec![file] }.encode_to_vec()).unwrap_err().to_string());
}

fn message(image: &Image, bytes: &[u8]) -> DynamicMessage {
    DynamicMessage::decode(image.pool().get_message_by_name("M").unwrap(), bytes).unwrap()
}

#[test]
fn fields_have_presence_unless_the_edition_says_otherwise() {
    let explicit = decoded(edition(1000, vec![field("name", 1, 1, STRING)]));
    assert!(message(&explicit, b"\x0a\x00").has_field_by_name("name"));
    assert_eq!(message(&explicit, b"\x0a\x00").encode_to_vec(), b"\x0a\x00");
    let implicit = File { options: on_file(&features(2, 0, 0)), ..edition(1001, vec![field("name", 1, 1, STRING)]) };
    let implicit = decoded(implicit);
    assert!(!message(&implicit, b"\x0a\x00").has_field_by_name("name"));
    assert_eq!(message(&implicit, b"\x0a\x00").encode_to_vec(), b"");
}

#[test]
fn explicit_and_implicit_presence_live_in_one_file() {
    let one = Field { options: on_field(&features(2, 0, 0)), ..field("implicit", 1, 1, INT32) };
    let required = Field { options: on_field(&features(3, 0, 0)), ..field("required", 3, 1, INT32) };
    let image = decoded(edition(1000, vec![one, field("explicit", 2, 1, INT32), required]));
    let read = message(&image, b"\x08\x00\x10\x00\x18\x00");
    assert_eq!(read.encode_to_vec(), b"\x10\x00\x18\x00");
    let field = image.pool().get_message_by_name("M").unwrap().get_field_by_name("required").unwrap();
    assert_eq!(field.cardinality(), Cardinality::Required);
}

#[test]
fn features_are_inherited_from_message_and_oneof() {
    let in_oneof = Field { oneof_index: Some(0), ..field("chosen", 2, 1, INT32) };
    let mut file = edition(1000, vec![field("plain", 1, 1, INT32), in_oneof]);
    file.message_type[0].options = on_message(&features(2, 0, 0));
    file.message_type[0].oneof_decl = vec![Oneof { name: Some("choice".to_owned()), options: vec![] }];
    let image = decoded(file);
    assert_eq!(message(&image, b"\x08\x00\x10\x00").encode_to_vec(), b"\x10\x00");
}

#[test]
fn repeated_numbers_are_packed_unless_expanded() {
    let expanded = Field { options: on_field(&features(0, 2, 0)), ..field("expanded", 2, 3, INT32) };
    let image = decoded(edition(1000, vec![field("packed", 1, 3, INT32), expanded, field("texts", 3, 3, STRING)]));
    let mut written = message(&image, b"");
    let numbers = || Value::List(vec![Value::I32(7), Value::I32(8)]);
    written.set_field_by_name("packed", numbers());
    written.set_field_by_name("expanded", numbers());
    assert_eq!(written.encode_to_vec(), b"\x0a\x02\x07\x08\x10\x07\x10\x08");
}

#[test]
fn delimited_messages_are_groups_and_maps_never_are() {
    let entry = MessageType {
        name: Some("MapEntry".to_owned()),
        field: vec![field("key", 1, 1, STRING), of_type(".M", field("value", 2, 1, TYPE_MESSAGE))],
        options: vec![vec![0x38, 1]],
        ..MessageType::default()
    };
    let inner = of_type(".M", field("inner", 1, 1, TYPE_MESSAGE));
    let map = of_type(".M.MapEntry", field("map", 2, 3, TYPE_MESSAGE));
    let mut file = File { options: on_file(&features(0, 0, 2)), ..edition(1000, vec![inner, map]) };
    file.message_type[0].nested_type = vec![entry];
    let image = decoded(file);
    // inner: start group 1, end group 1; map: one entry of length 5, its value of length 0.
    let bytes = b"\x0b\x0c\x12\x05\x0a\x01k\x12\x00";
    let read = message(&image, bytes);
    assert!(read.has_field_by_name("inner") && read.unknown_fields().count() == 0);
    assert_eq!(read.encode_to_vec(), bytes);
}

#[test]
fn a_closed_enum_may_start_above_zero_if_all_presence_is_explicit() {
    let value = EnumValue { name: Some("ONE".to_owned()), number: Some(1), options: vec![] };
    let item = EnumType { name: Some("E".to_owned()), value: vec![value], ..EnumType::default() };
    let file = File { enum_type: vec![item], ..edition(1000, vec![of_type(".E", field("e", 1, 1, 14))]) };
    let read = message(&decoded(file.clone()), b"\x08\x09");
    assert_eq!(read.get_field_by_name("e").unwrap().as_enum_number(), Some(9));
    refused(
        File { options: on_file(&features(2, 0, 0)), ..file },
        expect![[
            r#"a.proto: enum E does not start at 0 in a file with fields of implicit presence, which has no form in proto2 or proto3; give those fields explicit presence, or the enum a file of its own"#
        ]],
    );
}

#[test]
fn editions_that_are_not_known_are_refused() {
    refused(
        edition(1002, vec![]),
        expect!["a.proto: edition number 1002 is not known here; known are proto2, proto3, 2023 and 2024"],
    );
    let without = File { edition: None, ..edition(0, vec![]) };
    refused(without, expect!["a.proto: edition without a number is not known here; known are proto2, proto3, 2023 and 2024"]);
    let strange = File { syntax: Some("proto4".to_owned()), ..edition(0, vec![]) };
    refused(strange, expect!["a.proto: edition proto4 is not known here; known are proto2, proto3, 2023 and 2024"]);
}

/// The bytes are those that `buf convert` wrote for that JSON with the same descriptors.
#[test]
fn what_a_real_compiler_made_of_an_edition_reads_and_writes_the_same_bytes() {
    let image = Image::decode(include_bytes!("testdata/edition_2023.binpb").as_slice()).unwrap();
    let bytes =
        b"\x0a\x01x\x10\x00\x18\x01\x18\x02\x23\x10\x03\x24\x2a\x07\x0a\x01k\x12\x02\x10\x04\x30\x00\x3a\x02\x05\x06\x40\x00";
    let sample = image.pool().get_message_by_name("sample.v1.Sample").unwrap();
    let read = DynamicMessage::decode(sample, bytes.as_slice()).unwrap();
    assert_eq!(read.unknown_fields().count(), 0);
    let set = |name: &str| read.has_field_by_name(name);
    assert!(set("implicit") && set("required") && set("delimited") && set("closed") && set("explicit"));
    assert_eq!(read.encode_to_vec(), bytes);
}
