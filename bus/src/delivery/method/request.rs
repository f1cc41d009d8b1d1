//! What a method is sent for a message: its data as the request, its envelope as metadata.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderName, HeaderValue};
use passerelle_proto::bus::v1::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use ring::digest::{SHA256, digest};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const ATTEMPT: HeaderName = HeaderName::from_static("passerelle-attempt");
const CUSTOMER: HeaderName = HeaderName::from_static("passerelle-customer");
const REASON: HeaderName = HeaderName::from_static("passerelle-reason");
const PRIORITY: HeaderName = HeaderName::from_static("passerelle-priority");
const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Attributes of the event, as in CloudEvents' binding for HTTP (3.1.3).
const ID: HeaderName = HeaderName::from_static("ce-id");
const SOURCE: HeaderName = HeaderName::from_static("ce-source");
const TYPE: HeaderName = HeaderName::from_static("ce-type");
const SUBJECT: HeaderName = HeaderName::from_static("ce-subject");

/// Bytes of the digest that make a key.
const KEY_BYTES: usize = 16;

/// Names this message for this destination: the same at each attempt, replay and after each restart.
pub(super) fn idempotency_key(delivery: &str, message: &Message) -> String {
    let mut text = Vec::new();
    for part in [delivery, &message.source, &message.id] {
        text.extend((part.len() as u64).to_be_bytes());
        text.extend(part.as_bytes());
    }
    let digest = digest(&SHA256, &text);
    let bytes = digest.as_ref().get(..KEY_BYTES).unwrap_or_default();
    format!("{delivery}-{}", HEXLOWER.encode(bytes))
}

/// The request, or why the message's data is none.
pub(super) fn message(message: &Message, input: &MessageDescriptor) -> Result<Bytes, String> {
    let name = input.full_name();
    let essence = message.data_content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let schema = message.data_schema.rsplit('/').next().unwrap_or_default();
    match essence.as_str() {
        "application/protobuf" | "application/x-protobuf" | "application/vnd.google.protobuf" => protobuf(message, schema, input),
        "" if schema == name || message.data.is_empty() => protobuf(message, schema, input),
        // CloudEvents 1.0, "datacontenttype": where it is absent, JSON is meant.
        "" => json(message, input),
        essence if essence.ends_with("/json") || essence.ends_with("+json") => json(message, input),
        _ => Err(format!("its content type is neither JSON nor protobuf, of which {name} can be made")),
    }
}

fn protobuf(message: &Message, schema: &str, input: &MessageDescriptor) -> Result<Bytes, String> {
    let name = input.full_name();
    if !schema.is_empty() && schema != name {
        return Err(format!("its data is said to be {schema}, the method takes {name}"));
    }
    match DynamicMessage::decode(input.clone(), message.data.clone()) {
        Ok(_) => Ok(message.data.clone()),
        // What is wrong is not told: it may be in the words of the data.
        Err(_) => Err(format!("its data is not {name} as protobuf writes it")),
    }
}

fn json(message: &Message, input: &MessageDescriptor) -> Result<Bytes, String> {
    let mut json = serde_json::Deserializer::from_slice(&message.data);
    let read = DynamicMessage::deserialize(input.clone(), &mut json).and_then(|read| json.end().map(|()| read));
    let read = read.map_err(|error| {
        // The words of the error may hold values.
        format!("its JSON does not fit {} at line {}, column {}", input.full_name(), error.line(), error.column())
    })?;
    Ok(prost::Message::encode_to_vec(&read).into())
}

/// The envelope. What a header cannot hold is percent-encoded.
pub(super) fn metadata(message: &Message, attempt: u32, key: &str, channel_key: &HeaderName) -> HeaderMap {
    let priority = if message.priority > 0 { message.priority.to_string() } else { String::new() };
    let attempt = attempt.to_string();
    let rows = [
        (&IDEMPOTENCY_KEY, key),
        (&ATTEMPT, &attempt),
        (channel_key, &message.channel),
        (&CUSTOMER, &message.customer),
        (&REASON, &message.reason),
        (&PRIORITY, &priority),
        (&CORRELATION, &message.correlation_id),
        (&ID, &message.id),
        (&SOURCE, &message.source),
        (&TYPE, &message.r#type),
        (&SUBJECT, &message.subject),
    ];
    // As they are: their syntax is that of headers.
    let trace = [(&TRACEPARENT, message.traceparent.clone()), (&TRACESTATE, message.tracestate.clone())];
    let all = rows.into_iter().map(|(name, text)| (name, encoded(text))).chain(trace);
    let set = all.filter(|(_, text)| !text.is_empty());
    set.filter_map(|(name, text)| Some((name.clone(), HeaderValue::try_from(text).ok()?))).collect()
}

/// How long the call may take: as declared, and not beyond the message's own deadline.
pub(super) fn timeout(message: &Message, most: Duration, now: SystemTime) -> Duration {
    let deadline = message.deadline.and_then(|deadline| SystemTime::try_from(deadline).ok());
    deadline.map_or(most, |deadline| deadline.duration_since(now).unwrap_or_default().min(most))
}

/// As CloudEvents' binding for HTTP has it (3.1.3.2): visible ASCII as it is, but `"` and `%`.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'%' => encoded.push_str(&format!("%{byte:02X}")),
            0x21..=0x7E => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use prost_reflect::DescriptorPool;

    use super::*;
    use crate::contract::fixture::compile;

    fn order() -> MessageDescriptor {
        let text = "syntax = \"proto3\"; package shop; message Order { string id = 1; int32 count = 2; }";
        let pool = DescriptorPool::decode(&*compile(&[("shop.proto", text)])).unwrap();
        pool.get_message_by_name("shop.Order").unwrap()
    }

    #[test]
    fn data_becomes_a_request_or_says_why_not_without_its_values() {
        let cases = [
            ("application/protobuf", "", &b"\x0a\x01a\x10\x05"[..]),
            ("application/protobuf", "type.googleapis.com/shop.Order", b"\x0a\x01a"),
            ("application/protobuf", "shop.Basket", b""),
            ("application/protobuf", "", b"\x0a\x7fsecret"),
            ("", "shop.Order", b"\x0a\x01a"),
            ("", "", br#"{"id": "a"}"#),
            ("application/json; charset=utf-8", "", br#"{"id": "a", "count": 5}"#),
            ("application/cloudevents+json", "", br#"{"count": "secret"}"#),
            ("application/json", "", br#"{"id": "a"} secret"#),
            ("application/json", "", br#"{"secret": 1}"#),
            ("text/csv", "", b"secret"),
        ];
        let said = cases.map(|(data_content_type, data_schema, data)| {
            let data_content_type = data_content_type.to_owned();
            let data_schema = data_schema.to_owned();
            let message = Message { data_content_type, data_schema, data: Bytes::from_static(data), ..Message::default() };
            match super::message(&message, &order()) {
                Ok(bytes) => format!("{}\n", bytes.escape_ascii()),
                Err(why) => format!("{why}\n"),
            }
        });
        expect![[r#"
            \n\x01a\x10\x05
            \n\x01a
            its data is said to be shop.Basket, the method takes shop.Order
            its data is not shop.Order as protobuf writes it
            \n\x01a
            \n\x01a
            \n\x01a\x10\x05
            its JSON does not fit shop.Order at line 1, column 18
            its JSON does not fit shop.Order at line 1, column 13
            its JSON does not fit shop.Order at line 1, column 9
            its content type is neither JSON nor protobuf, of which shop.Order can be made
        "#]]
        .assert_eq(&said.concat());
    }

    #[test]
    fn the_envelope_is_metadata() {
        let message = Message {
            id: "4711".to_owned(),
            source: "/shop".to_owned(),
            r#type: "shop.ordered".to_owned(),
            subject: "basket \"é\" 5%".to_owned(),
            customer: "c-1".to_owned(),
            channel: "web".to_owned(),
            priority: 4,
            correlation_id: "talk".to_owned(),
            tracestate: "a=b, c=d".to_owned(),
            ..Message::default()
        };
        let key = idempotency_key("crm", &message);
        let metadata = metadata(&message, 3, &key, &HeaderName::from_static("passerelle-channel"));
        let mut said: Vec<_> = metadata.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect();
        said.sort();
        expect![[r#"
            ce-id: 4711
            ce-source: /shop
            ce-subject: basket%20%22%C3%A9%22%205%25
            ce-type: shop.ordered
            idempotency-key: crm-7d4b92be4dd965145b7d8fa6242f5a33
            passerelle-attempt: 3
            passerelle-channel: web
            passerelle-customer: c-1
            passerelle-priority: 4
            tracestate: a=b, c=d
            x-correlation-id: talk
        "#]]
        .assert_eq(&said.concat());
    }

    #[test]
    fn each_message_has_its_own_key_at_each_destination() {
        let key = |delivery, source: &str, id: &str| {
            let (source, id) = (source.to_owned(), id.to_owned());
            idempotency_key(delivery, &Message { source, id, ..Message::default() })
        };
        assert_eq!(key("crm", "/a", "b"), key("crm", "/a", "b"));
        assert_ne!(key("crm", "/a", "b"), key("crm", "/ab", ""));
        assert_ne!(key("crm", "/a", "b"), key("mail", "/a", "b"));
    }

    #[test]
    fn a_call_takes_no_longer_than_the_message_is_of_use() {
        let second = |count| SystemTime::UNIX_EPOCH + Duration::from_secs(count);
        let message = Message { deadline: Some(second(10).into()), ..Message::default() };
        let cases = [(0, 5), (7, 3), (10, 0), (12, 0)];
        for (now, left) in cases {
            assert_eq!(timeout(&message, Duration::from_secs(5), second(now)), Duration::from_secs(left), "{now}");
        }
        assert_eq!(timeout(&Message::default(), Duration::from_secs(5), second(12)), Duration::from_secs(5));
    }
}
