//! How to ask a method: its request as a JSON example.

use prost_reflect::{Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::method;

/// Messages within messages that an example shows.
const MAX_DEPTH: usize = 4;

/// The method, its shape, and an example of its request.
pub(super) fn shown(method: &MethodDescriptor) -> String {
    let example = example(&method.input(), 0);
    let promise = method::acknowledges(method).map(|level| format!("answers when it is {level}: {}\n", meaning(&level)));
    format!("{}  {}\n{}{example:#}\n", method::name(method), method::shape(method), promise.unwrap_or_default())
}

/// What a level of acknowledgement is worth.
fn meaning(level: &str) -> &'static str {
    match level {
        "ACCEPTED" => "understood, and in memory; a crash loses it",
        "DURABLE" => "in the journal, on disk; no crash loses it",
        "EFFECTED" => "the back office has done it",
        "CONFIRMED" => "done, and read back from the back office",
        _ => "a level that this version does not know",
    }
}

/// A value for every field, of a oneof for the first one.
pub(super) fn example(message: &MessageDescriptor, depth: usize) -> Value {
    if let Some(known) = well_known(message.full_name()) {
        return known;
    }
    let mut object = Map::new();
    if depth < MAX_DEPTH {
        for field in message.fields() {
            let first = field.containing_oneof().and_then(|oneof| oneof.fields().next());
            if first.is_some_and(|first| first != field) {
                continue;
            }
            let kind = field.kind();
            let value = match &kind {
                Kind::Message(entry) if field.is_map() => {
                    let key = scalar(&entry.map_entry_key_field().kind());
                    let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                    let value = value(&entry.map_entry_value_field().kind(), depth);
                    Value::Object([(key, value)].into_iter().collect())
                }
                kind if field.is_list() => Value::Array(vec![value(kind, depth)]),
                kind => value(kind, depth),
            };
            object.insert(field.json_name().to_owned(), value);
        }
    }
    Value::Object(object)
}

fn value(kind: &Kind, depth: usize) -> Value {
    match kind {
        Kind::Message(message) => example(message, depth + 1),
        kind => scalar(kind),
    }
}

fn scalar(kind: &Kind) -> Value {
    match kind {
        Kind::Double | Kind::Float => json!(0.0),
        Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 | Kind::Sfixed32 => json!(0),
        // As the JSON mapping of protobuf writes them.
        Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64 => json!("0"),
        Kind::Bool => json!(false),
        Kind::String | Kind::Bytes => json!(""),
        Kind::Enum(item) => json!(item.default_value().name()),
        Kind::Message(_) => Value::Null,
    }
}

fn well_known(name: &str) -> Option<Value> {
    Some(match name {
        "google.protobuf.Timestamp" => json!("2024-01-31T12:00:00Z"),
        "google.protobuf.Duration" => json!("1.500s"),
        "google.protobuf.FieldMask" => json!("name,address.city"),
        "google.protobuf.Struct" | "google.protobuf.Empty" => json!({}),
        "google.protobuf.Value" => Value::Null,
        "google.protobuf.ListValue" => json!([]),
        "google.protobuf.Any" => json!({"@type": "type.googleapis.com/package.Message"}),
        "google.protobuf.StringValue" | "google.protobuf.BytesValue" => json!(""),
        "google.protobuf.BoolValue" => json!(false),
        "google.protobuf.Int64Value" | "google.protobuf.UInt64Value" => json!("0"),
        "google.protobuf.Int32Value" | "google.protobuf.UInt32Value" => json!(0),
        "google.protobuf.DoubleValue" | "google.protobuf.FloatValue" => json!(0.0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use prost_reflect::DynamicMessage;

    use super::*;
    use crate::command::call::request::tests::methods;

    #[test]
    fn the_example_fits_the_message() {
        let text = "syntax = \"proto3\"; package a; import \"google/protobuf/timestamp.proto\"; enum E { Z = 0; } \
            message M { string a_name = 1; int64 n = 2; repeated M more = 3; map<int32, E> m = 4; \
            oneof o { bool b = 5; double d = 6; } google.protobuf.Timestamp at = 7; } service S { rpc Do(M) returns (stream M); }";
        let method = methods(text).remove(0);
        let example = example(&method.input(), MAX_DEPTH - 1);
        expect![[r#"{"aName":"","n":"0","more":[{}],"m":{"0":"Z"},"b":false,"at":"2024-01-31T12:00:00Z"}"#]]
            .assert_eq(&example.to_string());
        DynamicMessage::deserialize(method.input(), example).unwrap();
        assert!(shown(&method).starts_with("a.S/Do  a.M -> stream a.M\n{"));
    }
}
