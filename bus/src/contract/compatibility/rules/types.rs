//! Whether one type may follow another: in generated code, in protobuf's wire format, in JSON.

use super::super::Comparison;
use super::super::rule::Rule;
use super::super::schema::{Field, Schema};
use super::fields::changed;

/// `FieldDescriptorProto.Type`s.
pub(super) const DOUBLE: i32 = 1;
pub(super) const FLOAT: i32 = 2;
const INT64: i32 = 3;
const UINT64: i32 = 4;
const INT32: i32 = 5;
const FIXED64: i32 = 6;
const FIXED32: i32 = 7;
pub(super) const BOOL: i32 = 8;
pub(super) const STRING: i32 = 9;
pub(super) const GROUP: i32 = 10;
pub(super) const MESSAGE: i32 = 11;
pub(super) const BYTES: i32 = 12;
const UINT32: i32 = 13;
pub(super) const ENUM: i32 = 14;
const SFIXED32: i32 = 15;
const SFIXED64: i32 = 16;
const SINT32: i32 = 17;
const SINT64: i32 = 18;

/// Integers that JavaScript cannot hold in a number.
pub(super) const LONG: [i32; 5] = [INT64, UINT64, FIXED64, SFIXED64, SINT64];

/// Types of one group read each other's bytes (protobuf.dev/programming-guides/proto3/#updating). Enums and messages stand alone:
/// nobody can know whether the values of an `int32`, or the bytes of a `bytes` field, are theirs.
const ON_THE_WIRE: [&[i32]; 11] = [
    &[INT32, INT64, UINT32, UINT64, BOOL],
    &[SINT32, SINT64],
    &[STRING],
    &[BYTES],
    &[FIXED32, SFIXED32],
    &[FIXED64, SFIXED64],
    &[DOUBLE],
    &[FLOAT],
    &[GROUP],
    &[MESSAGE],
    &[ENUM],
];

/// Types of one group read each other's bytes and each other's JSON: 64-bit integers are strings there.
const IN_JSON: [&[i32]; 14] = [
    &[INT32, UINT32],
    &[INT64, UINT64],
    &[FIXED32, SFIXED32],
    &[FIXED64, SFIXED64],
    &[BOOL],
    &[SINT32],
    &[SINT64],
    &[STRING],
    &[BYTES],
    &[DOUBLE],
    &[FLOAT],
    &[GROUP],
    &[MESSAGE],
    &[ENUM],
];

pub(super) fn check(comparison: &mut Comparison<'_>, was: &Field, is: &Field) {
    let same_group = |groups: &[&[i32]]| groups.iter().any(|group| group.contains(&was.kind) && group.contains(&is.kind));
    if was.kind != is.kind || was.type_name != is.type_name {
        add(comparison, Rule::FieldSameType, was, is);
    }
    // Every string is bytes; not all bytes are a string.
    let widened = was.kind == STRING && is.kind == BYTES;
    let renamed = was.kind == is.kind && was.type_name != is.type_name && !may_follow(comparison, was, is);
    if renamed || !(widened || same_group(&ON_THE_WIRE)) {
        add(comparison, Rule::FieldWireCompatibleType, was, is);
    }
    if renamed || !same_group(&IN_JSON) {
        add(comparison, Rule::FieldWireJsonCompatibleType, was, is);
    }
}

fn add(comparison: &mut Comparison<'_>, rule: Rule, was: &Field, is: &Field) {
    let named = matches!(is.kind, GROUP | MESSAGE | ENUM);
    let place = if named { &is.places.type_name } else { &is.places.r#type };
    let (old, new) = (format!("type {}", shown(was)), format!("type {}", shown(is)));
    comparison.add(changed((was, is), rule, old, new, place.as_ref()));
}

/// An enum may move: the same short name, and all its values.
fn may_follow(comparison: &Comparison<'_>, was: &Field, is: &Field) -> bool {
    let find = |schema: &Schema, field: &Field| -> Option<(String, Vec<(i32, String)>)> {
        let item = schema.enums.get(&field.type_name)?;
        let short = item.site.nested_name.rsplit('.').next().unwrap_or_default().to_owned();
        let values = item.values.iter().flat_map(|(number, names)| names.keys().map(|name| (*number, name.clone())));
        Some((short, values.collect()))
    };
    match (was.kind, find(comparison.old, was), find(comparison.new, is)) {
        (ENUM, Some((was_name, were)), Some((is_name, are))) => {
            was_name == is_name && were.iter().all(|value| are.contains(value))
        }
        _ => false,
    }
}

/// `int64`, `bank.v1.Amount`, `bank.v1.Amount (delimited)`.
fn shown(field: &Field) -> String {
    let word = match field.kind {
        DOUBLE => "double",
        FLOAT => "float",
        INT64 => "int64",
        UINT64 => "uint64",
        INT32 => "int32",
        FIXED64 => "fixed64",
        FIXED32 => "fixed32",
        BOOL => "bool",
        STRING => "string",
        BYTES => "bytes",
        UINT32 => "uint32",
        SFIXED32 => "sfixed32",
        SFIXED64 => "sfixed64",
        SINT32 => "sint32",
        SINT64 => "sint64",
        GROUP if field.written_type == GROUP => return format!("group {}", field.type_name),
        GROUP => return format!("{} (delimited)", field.type_name),
        _ => return field.type_name.clone(),
    };
    word.to_owned()
}
