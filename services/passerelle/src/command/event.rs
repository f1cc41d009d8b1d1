//! A message as people and scripts write it: a CloudEvents 1.0 event in its JSON format, one object.

use data_encoding::BASE64;
use passerelle_proto::bus::v1::Message;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The attributes of an event; ours beside those of CloudEvents are its extensions.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Event {
    /// Where it is in the journal. Shown, and not looked at when it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    specversion: String,
    id: String,
    source: String,
    r#type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    datacontenttype: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    dataschema: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    customer: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    channel: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    contract: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    correlationid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    causationid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    traceparent: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    tracestate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attemptsleft: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequencenumber: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequencesize: Option<u64>,
    /// Names with commas between them: CloudEvents knows no lists.
    #[serde(skip_serializing_if = "String::is_empty")]
    history: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

/// Reads an event.
pub(super) fn read(text: &str) -> Result<Message, String> {
    let event: Event = serde_json::from_str(text).map_err(|error| error.to_string())?;
    event.try_into()
}

/// Writes the message at `position` as an event on one line.
pub(super) fn write(position: u64, message: &Message) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Event { position: Some(position), ..Event::from(message) })
}

/// The message as an event, within other JSON.
pub(super) fn value(message: &Message) -> Result<Value, serde_json::Error> {
    serde_json::to_value(Event::from(message))
}

impl TryFrom<Event> for Message {
    type Error = String;

    fn try_from(event: Event) -> Result<Self, String> {
        if !matches!(event.specversion.as_str(), "" | "1.0") {
            return Err(format!("specversion: {} is not known, 1.0 is", event.specversion));
        }
        let moment = |name: &str, text: Option<String>| {
            let parsed = text.as_deref().map(str::parse).transpose();
            parsed.map_err(|_| format!("{name}: write a moment as 2026-01-31T12:00:00Z"))
        };
        let (data, content_type) = data(event.data, event.data_base64, event.datacontenttype)?;
        Ok(Self {
            id: event.id,
            source: event.source,
            r#type: event.r#type,
            subject: event.subject,
            time: moment("time", event.time)?,
            data_content_type: content_type,
            data_schema: event.dataschema,
            customer: event.customer,
            channel: event.channel,
            reason: event.reason,
            contract: event.contract,
            correlation_id: event.correlationid,
            causation_id: event.causationid,
            traceparent: event.traceparent,
            tracestate: event.tracestate,
            deadline: moment("deadline", event.deadline)?,
            priority: event.priority.unwrap_or_default(),
            attempts_left: event.attemptsleft.unwrap_or_default(),
            sequence_number: event.sequencenumber.unwrap_or_default(),
            sequence_size: event.sequencesize.unwrap_or_default(),
            history: event.history.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            data: data.into(),
        })
    }
}

/// The bytes of the data, and what they are: JSON where nothing is said, text as it is where that is said.
fn data(value: Option<Value>, base64: Option<String>, content_type: String) -> Result<(Vec<u8>, String), String> {
    let or_json = |content_type: String| if content_type.is_empty() { "application/json".to_owned() } else { content_type };
    match (value, base64) {
        (None, None) => Ok((Vec::new(), content_type)),
        (Some(_), Some(_)) => Err("data and data_base64 exclude each other".to_owned()),
        (None, Some(text)) => {
            let bytes = BASE64.decode(text.as_bytes()).map_err(|_| "data_base64 is no base64".to_owned())?;
            Ok((bytes, content_type))
        }
        (Some(Value::String(text)), None) if !is_json(&content_type) => Ok((text.into_bytes(), content_type)),
        (Some(value), None) => Ok((value.to_string().into_bytes(), or_json(content_type))),
    }
}

/// Without a content type, data is JSON (CloudEvents, JSON event format, 3.1).
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.is_empty() || kind.ends_with("/json") || kind.ends_with("+json")
}

impl From<&Message> for Event {
    fn from(message: &Message) -> Self {
        let content_type = message.data_content_type.as_str();
        let json = || serde_json::from_slice(&message.data).ok().filter(|_| is_json(content_type));
        let text = || std::str::from_utf8(&message.data).ok().filter(|_| content_type.starts_with("text/"));
        let data = json().or_else(|| text().map(|text| Value::String(text.to_owned())));
        let base64 = data.is_none() && !message.data.is_empty();
        let number = |number: u32| (number > 0).then_some(number);
        let message = message.clone();
        Self {
            position: None,
            specversion: "1.0".to_owned(),
            id: message.id,
            source: message.source,
            r#type: message.r#type,
            subject: message.subject,
            time: message.time.map(|time| time.to_string()),
            datacontenttype: message.data_content_type,
            dataschema: message.data_schema,
            customer: message.customer,
            channel: message.channel,
            reason: message.reason,
            contract: message.contract,
            correlationid: message.correlation_id,
            causationid: message.causation_id,
            traceparent: message.traceparent,
            tracestate: message.tracestate,
            deadline: message.deadline.map(|deadline| deadline.to_string()),
            priority: number(message.priority),
            attemptsleft: number(message.attempts_left),
            sequencenumber: (message.sequence_number > 0).then_some(message.sequence_number),
            sequencesize: (message.sequence_size > 0).then_some(message.sequence_size),
            history: message.history.join(","),
            data,
            data_base64: base64.then(|| BASE64.encode(&message.data)),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn around(line: &str, expected: Expect) {
        let answer = read(line).and_then(|message| write(7, &message).map_err(|error| error.to_string()));
        expected.assert_eq(&answer.unwrap_or_else(|error| error));
    }

    #[test]
    fn an_event_is_written_as_it_was_read() {
        around(
            r#"{"id":"1","source":"/web","type":"a.b","data":{"b":[1,2.5],"a":null}}"#,
            expect![[
                r#"{"position":7,"specversion":"1.0","id":"1","source":"/web","type":"a.b","datacontenttype":"application/json","data":{"b":[1,2.5],"a":null}}"#
            ]],
        );
        around(
            r#"{"position":3,"id":"1","source":"/web","type":"a.b","datacontenttype":"text/plain","data":"héllo","customer":"4711","time":"2026-01-31T12:00:00Z","priority":3}"#,
            expect![[
                r#"{"position":7,"specversion":"1.0","id":"1","source":"/web","type":"a.b","time":"2026-01-31T12:00:00Z","datacontenttype":"text/plain","customer":"4711","priority":3,"data":"héllo"}"#
            ]],
        );
        around(
            r#"{"id":"1","source":"/web","type":"a.b","data_base64":"/wA="}"#,
            expect![[r#"{"position":7,"specversion":"1.0","id":"1","source":"/web","type":"a.b","data_base64":"/wA="}"#]],
        );
        around(
            r#"{"id":"1","source":"/web","type":"a.b","data":"text that is JSON"}"#,
            expect![[
                r#"{"position":7,"specversion":"1.0","id":"1","source":"/web","type":"a.b","datacontenttype":"application/json","data":"text that is JSON"}"#
            ]],
        );
    }

    #[test]
    fn what_is_no_event_says_why() {
        around("{", expect!["EOF while parsing an object at line 1 column 1"]);
        around(
            r#"{"typ":"a"}"#,
            expect![
                "unknown field `typ`, expected one of `position`, `specversion`, `id`, `source`, `type`, `subject`, `time`, `datacontenttype`, `dataschema`, `customer`, `channel`, `reason`, `contract`, `correlationid`, `causationid`, `traceparent`, `tracestate`, `deadline`, `priority`, `attemptsleft`, `sequencenumber`, `sequencesize`, `history`, `data`, `data_base64` at line 1 column 6"
            ],
        );
        around(r#"{"time":"noon"}"#, expect!["time: write a moment as 2026-01-31T12:00:00Z"]);
        around(r#"{"specversion":"0.3"}"#, expect!["specversion: 0.3 is not known, 1.0 is"]);
        around(r#"{"data":1,"data_base64":""}"#, expect!["data and data_base64 exclude each other"]);
        around(r#"{"data_base64":"?"}"#, expect!["data_base64 is no base64"]);
    }
}
