//! Images: what is taken, and what is refused.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use prost::Message;

use super::raw::{self, Field, File, MessageType, Set};
use super::*;
use crate::contract::fixture::compile;

fn file(name: &str) -> File {
    File { name: Some(name.to_owned()), syntax: Some("proto3".to_owned()), ..File::default() }
}

fn message(name: &str, field: Vec<Field>) -> MessageType {
    MessageType { name: Some(name.to_owned()), field, ..MessageType::default() }
}

fn field(name: &str, number: i32, code: i32) -> Field {
    Field { name: Some(name.to_owned()), number: Some(number), label: Some(1), r#type: Some(code), ..Field::default() }
}

fn refused(files: Vec<File>, expected: Expect) {
    let error = Image::decode(Set { file: files }.encode_to_vec()).unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn a_file_is_kept_byte_for_byte_with_its_custom_options_and_comments() {
    let options = "syntax = \"proto2\"; package mark; import \"google/protobuf/descriptor.proto\"; \
                   extend google.protobuf.FieldOptions { optional string why = 50001; }";
    let text = "syntax = \"proto3\"; package a; import \"mark.proto\";\n// The question.\nmessage Asked { string name = 1 [(mark.why) = \"law\"]; }";
    let bytes = compile(&[("mark.proto", options), ("a.proto", text)]);
    let image = Image::decode(bytes.clone()).unwrap();
    assert_eq!(image.bytes(), &bytes);
    let rejoined: usize = image.files().iter().map(|file| file.bytes.len()).sum();
    assert!(rejoined > bytes.len() * 9 / 10);
    let asked = image.pool().get_message_by_name("a.Asked").unwrap();
    let why = image.pool().get_extension_by_name("mark.why").unwrap();
    let name = asked.get_field_by_name("name").unwrap();
    assert_eq!(name.options().get_extension(&why).as_str(), Some("law"));
    assert!(image.file("a.proto").unwrap().bytes.windows(13).any(|window| window == b"The question."));
}

#[test]
fn the_digest_leaves_comments_and_the_order_of_files_out() {
    let (one, two) = ("syntax = \"proto3\"; message One {}", "syntax = \"proto3\"; message Two {}");
    let plain = Image::decode(compile(&[("one.proto", one), ("two.proto", two)])).unwrap();
    let commented = "syntax = \"proto3\";\n// About one.\nmessage One {}";
    let turned = Image::decode(compile(&[("two.proto", two), ("one.proto", commented)])).unwrap();
    assert_ne!(plain.bytes(), turned.bytes());
    assert_eq!(plain.digest(), turned.digest());
    let other = Image::decode(compile(&[("one.proto", one), ("two.proto", "syntax = \"proto3\"; message Other {}")])).unwrap();
    assert_ne!(plain.digest(), other.digest());
}

#[test]
fn bytes_that_are_no_descriptors_are_refused() {
    let refuse = |bytes: &[u8], expected: Expect| expected.assert_eq(&Image::decode(bytes.to_vec()).unwrap_err().to_string());
    refuse(
        b"",
        expect!["the descriptors hold no file; make them with `buf build -o x.binpb` or `protoc -o x.binpb --include_imports`"],
    );
    refuse(
        b"syntax = \"proto3\";",
        expect![
            "not a FileDescriptorSet: failed to decode Protobuf message: invalid wire type value: 7; make one with `buf build -o x.binpb` or `protoc -o x.binpb --include_imports`"
        ],
    );
    refuse(
        b"\x0a\x02\x0a\x05",
        expect![
            "not a FileDescriptorSet (file 1 of the set): failed to decode Protobuf message: File.name: buffer underflow; make one with `buf build -o x.binpb` or `protoc -o x.binpb --include_imports`"
        ],
    );
    let huge = vec![0; MAX_IMAGE_BYTES + 1];
    refuse(
        &huge,
        expect!["the descriptors take 16777217 bytes, at most 16777216 are taken; leave out what the contract does not import"],
    );
    let many = Set { file: (0..=MAX_FILES).map(|place| file(&format!("{place}.proto"))).collect() };
    refuse(
        &many.encode_to_vec(),
        expect!["the descriptors hold 2001 files, at most 2000 are taken; leave out what the contract does not import"],
    );
}

#[test]
fn imports_that_are_missing_or_go_in_a_circle_are_named() {
    let importing = |name: &str, imports: &[&str]| File {
        dependency: imports.iter().map(|&import| import.to_owned()).collect(),
        ..file(name)
    };
    refused(
        vec![importing("a.proto", &["google/type/money.proto"])],
        expect![
            "a.proto: imports google/type/money.proto, which is not in the descriptors; add it (protoc needs --include_imports)"
        ],
    );
    refused(vec![importing("a.proto", &["a.proto"])], expect!["a.proto: imports itself, directly or through others"]);
    let circle = File { public_dependency: vec![0], ..importing("a.proto", &["b.proto"]) };
    refused(vec![circle, importing("b.proto", &["a.proto"])], expect!["a.proto: imports itself, directly or through others"]);
    refused(
        vec![importing("a.proto", &["b.proto", "b.proto", "b.proto"]), file("b.proto")],
        expect!["a.proto: imports: imports a file twice"],
    );
    let astray = File { public_dependency: vec![7], ..importing("a.proto", &["b.proto"]) };
    refused(vec![astray, file("b.proto")], expect!["a.proto: imports: marks import 7 of 1"]);
    refused(vec![file("a.proto"), file("a.proto")], expect!["a.proto: is in the descriptors twice"]);
}

#[test]
fn public_imports_reach_through_several_files() {
    let image = Image::decode(compile(&[
        ("d.proto", "syntax = \"proto3\"; package d; message Deep {}"),
        ("c.proto", "syntax = \"proto3\"; import public \"d.proto\";"),
        ("b.proto", "syntax = \"proto3\"; import public \"c.proto\";"),
    ]))
    .unwrap();
    let mut set = Set::decode(image.bytes().clone()).unwrap();
    let mut top = file("a.proto");
    top.dependency = vec!["b.proto".to_owned()];
    let mut deep = field("deep", 1, raw::TYPE_MESSAGE);
    deep.type_name = Some(".d.Deep".to_owned());
    top.message_type = vec![message("Top", vec![deep])];
    set.file.insert(0, top);
    let image = Image::decode(set.encode_to_vec()).unwrap();
    assert_eq!(image.file("b.proto").unwrap().imports, ["c.proto"]);
    assert!(image.pool().get_message_by_name("Top").is_some());
}

#[test]
fn descriptors_that_no_compiler_makes_are_refused_by_name() {
    let with = |message: MessageType| vec![File { message_type: vec![message], ..file("a.proto") }];
    refused(with(message("", vec![])), expect!["a.proto: : is no name: letters, digits and _ only, not empty"]);
    refused(with(message("A.B", vec![])), expect!["a.proto: A.B: is no name: letters, digits and _ only, not empty"]);
    refused(with(message("A", vec![field("x", 1, 99)])), expect!["a.proto: A.x: has type 99, which does not exist"]);
    refused(
        with(message("A", vec![field("x", 1, 11)])),
        expect!["a.proto: A.x: has a type and a type name that do not go together"],
    );
    let mut untyped = field("x", 1, 1);
    untyped.r#type = None;
    refused(with(message("A", vec![untyped])), expect!["a.proto: A.x: has no type"]);
    let mut labelled = field("x", 1, 9);
    labelled.label = Some(9);
    refused(with(message("A", vec![labelled])), expect!["a.proto: A.x: has a label that is not optional, required or repeated"]);
    let mut entry = message("A", vec![field("key", 1, 9)]);
    entry.options = vec![vec![0x38, 1]];
    refused(with(entry), expect!["a.proto: A: is marked as a map entry but has not just a key = 1 and a value = 2"]);
    let lost = Field { type_name: Some(".b.Nowhere".to_owned()), ..field("x", 1, 11) };
    refused(with(message("A", vec![lost])), expect!["a.proto: name '.b.Nowhere' is not defined"]);
    refused(with(message("A", vec![field("x", 0, 9)])), expect!["a.proto: invalid field number '0'"]);
    let packaged = File { package: Some("a..b".to_owned()), ..file("a.proto") };
    refused(vec![packaged], expect!["a.proto: a..b: is no package name"]);
}

#[test]
fn messages_nested_without_end_are_refused() {
    let mut deep = message("M", vec![]);
    for _ in 0..300 {
        deep = MessageType { nested_type: vec![deep], ..message("M", vec![]) };
    }
    let files = vec![File { message_type: vec![deep], ..file("a.proto") }];
    let error = Image::decode(Set { file: files }.encode_to_vec()).unwrap_err();
    assert!(matches!(&error, ImageError::NotDescriptors { reason, .. } if reason.contains("recursion limit")), "{error}");
}

#[test]
fn a_forged_descriptor_proto_is_an_error_and_no_panic() {
    let forged = File {
        package: Some("google.protobuf".to_owned()),
        message_type: vec![message("MessageOptions", vec![field("map_entry", 7, 9)])],
        ..file("google/protobuf/descriptor.proto")
    };
    let mut user = message("A", vec![]);
    user.options = vec![vec![0x38, 0]];
    let files = vec![forged, File { message_type: vec![user], ..file("a.proto") }];
    assert!(Image::decode(Set { file: files }.encode_to_vec()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = Image::decode(bytes);
    }

    #[test]
    fn damaged_descriptors_are_taken_or_refused(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = compile(&[("a.proto", SAMPLE)]);
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let outcome = Image::decode(bytes);
        prop_assert!(!matches!(outcome, Err(ImageError::Library(_))), "checks missed what makes the library panic: {outcome:?}");
    }

    #[test]
    fn descriptors_cut_short_are_taken_or_refused(end in any::<prop::sample::Index>()) {
        let bytes = compile(&[("a.proto", SAMPLE)]);
        let _ = Image::decode(bytes[..end.index(bytes.len())].to_vec());
    }
}

const SAMPLE: &str = "syntax = \"proto2\"; package a; import \"google/protobuf/any.proto\"; \
    option java_package = \"x\"; enum E { option allow_alias = true; Z = 0; Y = 0; } \
    message M { map<string, M> m = 1; oneof o { E e = 2 [default = Y]; string s = 3; } repeated int32 n = 4 [packed = true]; \
    extensions 100 to 200; optional google.protobuf.Any any = 5; optional group G = 6 { required bool b = 1; } reserved 9; } \
    extend M { optional int32 x = 100; } \
    service S { rpc Do(M) returns (stream M) { option idempotency_level = IDEMPOTENT; } }";
