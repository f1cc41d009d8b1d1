//! The request's JSON, read into messages of the method's type.

use std::io::{self, Read};

use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use super::method;
use crate::explain::Code;
use crate::failure::Failure;

/// Messages that are read ahead of the server.
const AHEAD: usize = 16;

/// Where the messages of a request come from.
pub(super) enum Json {
    /// Read whole, and found to fit.
    Whole(Vec<DynamicMessage>),
    /// Standard input, for a stream of requests: each value is sent as it comes.
    Input(MessageDescriptor),
}

impl Json {
    /// Reads `said` (JSON, `@FILE`, `-`, or nothing) for `method`. Nothing is enough for a message without fields.
    pub(super) fn new(said: Option<&str>, method: &MethodDescriptor) -> Result<Self, Failure> {
        let kind = method.input();
        let unreadable = |what: &str, error: io::Error| Failure::usage(format!("cannot read {what}: {error}"));
        let text = match said {
            None if kind.fields().len() == 0 => "{}".to_owned(),
            None => {
                let example = super::skeleton::example(&kind, 0);
                let name = method::name(method);
                return Err(Failure::usage(format!(
                    "{name} wants a {}; give it by --json, such as --json '{example}'",
                    kind.full_name()
                )));
            }
            Some("-") if method.is_client_streaming() => return Ok(Self::Input(kind)),
            Some("-") => io::read_to_string(io::stdin()).map_err(|error| unreadable("standard input", error))?,
            Some(said) => match said.strip_prefix('@') {
                Some(file) => std::fs::read_to_string(file).map_err(|error| unreadable(file, error))?,
                None => said.to_owned(),
            },
        };
        let messages = parse(&kind, &text).map_err(|error| Failure::usage_with(Code::REQUEST_REFUSED, error))?;
        if !method.is_client_streaming() && messages.len() != 1 {
            let name = method::name(method);
            return Err(Failure::usage(format!("{name} takes one {}, {} were given", kind.full_name(), messages.len())));
        }
        Ok(Self::Whole(messages))
    }

    /// The messages, in a stream to be sent; and what breaks that stream, if something does.
    pub(super) fn messages(self) -> Result<(ReceiverStream<DynamicMessage>, Fault), Failure> {
        let (fault, broken) = oneshot::channel();
        let messages = match self {
            Self::Whole(messages) => {
                let (sender, receiver) = mpsc::channel(messages.len().max(1));
                // There is room for all of them.
                messages.into_iter().for_each(|message| drop(sender.try_send(message)));
                receiver
            }
            // A thread of its own: reading a terminal blocks, and must not hold up the end of the program.
            Self::Input(kind) => {
                let (sender, receiver) = mpsc::channel(AHEAD);
                let reading = move || forward(Values::new(kind, io::stdin().lock()), &sender, fault);
                std::thread::Builder::new().name("stdin".to_owned()).spawn(reading).map_err(Failure::plain)?;
                receiver
            }
        };
        Ok((ReceiverStream::new(messages), Fault(broken)))
    }
}

/// Sends the values until they end, do not fit, or nobody takes them any more.
fn forward(values: Values<impl Read>, sender: &mpsc::Sender<DynamicMessage>, fault: oneshot::Sender<Failure>) {
    for value in values {
        match value {
            Ok(message) => match sender.blocking_send(message) {
                Ok(()) => {}
                Err(_) => return,
            },
            Err(error) => {
                // Sent before the stream of messages ends, so that it is seen first.
                let _ = fault.send(Failure::usage_with(Code::REQUEST_REFUSED, error));
                return;
            }
        }
    }
}

/// A request that breaks off.
pub(super) struct Fault(oneshot::Receiver<Failure>);

impl Fault {
    /// Waits for the fault; for ever if there is none.
    pub(super) async fn came(self) -> Failure {
        match self.0.await {
            Ok(failure) => failure,
            Err(_) => std::future::pending().await,
        }
    }
}

/// JSON values one after another, each a message of one type.
struct Values<Input: Read> {
    kind: MessageDescriptor,
    json: serde_json::Deserializer<serde_json::de::IoRead<Input>>,
    read: usize,
    failed: bool,
}

/// A value that is no JSON or does not fit.
#[derive(Debug, thiserror::Error)]
#[error("request {place}{}: {reason} (wanted: {kind})", if path.is_empty() { String::new() } else { format!(", field {path}") })]
pub(super) struct Unfit {
    place: usize,
    path: String,
    reason: String,
    kind: String,
}

impl<Input: Read> Values<Input> {
    fn new(kind: MessageDescriptor, input: Input) -> Self {
        Self { kind, json: serde_json::Deserializer::from_reader(input), read: 0, failed: false }
    }
}

impl<Input: Read> Iterator for Values<Input> {
    type Item = Result<DynamicMessage, Unfit>;

    fn next(&mut self) -> Option<Self::Item> {
        // `end` reads white space and looks at what follows, without taking it.
        if self.failed || self.json.end().is_ok() {
            return None;
        }
        self.read += 1;
        let mut track = serde_path_to_error::Track::new();
        let json = serde_path_to_error::Deserializer::new(&mut self.json, &mut track);
        let message = DynamicMessage::deserialize(self.kind.clone(), json);
        self.failed = message.is_err();
        Some(message.map_err(|error| Unfit {
            place: self.read,
            path: Some(track.path().to_string()).filter(|path| path != "." && !path.ends_with('?')).unwrap_or_default(),
            reason: error.to_string(),
            kind: self.kind.full_name().to_owned(),
        }))
    }
}

fn parse(kind: &MessageDescriptor, text: &str) -> Result<Vec<DynamicMessage>, Unfit> {
    Values::new(kind.clone(), text.as_bytes()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashMap;

    use expect_test::{Expect, expect};
    use passerelle_adapter::{ContractSource, ProtoFile};
    use tokio_stream::StreamExt;

    use super::*;

    /// The methods of a `.proto` text.
    pub(in crate::command::call) fn methods(text: &str) -> Vec<MethodDescriptor> {
        let files = vec![ProtoFile { path: "a.proto".to_owned(), text: text.to_owned() }];
        let image = crate::serve::contracts::compile(&ContractSource { name: "a".to_owned(), files }).unwrap();
        image.pool().services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
    }

    fn method(name: &str) -> MethodDescriptor {
        let text = "syntax = \"proto3\"; package a; message Empty {} message Line { int64 cents = 1; } \
            message Order { string name = 1; repeated Line lines = 2; } message Told {} \
            service S { rpc One(Order) returns (Told); rpc Many(stream Order) returns (Told); rpc None(Empty) returns (Told); }";
        let all: HashMap<String, _> = methods(text).into_iter().map(|method| (method.name().to_owned(), method)).collect();
        all[name].clone()
    }

    fn read(method_name: &str, said: Option<&str>, expected: Expect) {
        let text = match Json::new(said, &method(method_name)) {
            Ok(Json::Whole(messages)) => {
                messages.iter().map(|message| serde_json::to_string(message).unwrap()).collect::<Vec<_>>().join(" ")
            }
            Ok(Json::Input(kind)) => format!("standard input of {}", kind.full_name()),
            Err(failure) => failure.text(),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn one_value_is_one_message() {
        read(
            "One",
            Some(r#"{"name": "Ann", "lines": [{"cents": "5"}, {"cents": 6}]}"#),
            expect![[r#"{"name":"Ann","lines":[{"cents":"5"},{"cents":"6"}]}"#]],
        );
        read("None", None, expect!["{}"]);
        read(
            "One",
            None,
            expect![[
                r#"error: a.S/One wants a a.Order; give it by --json, such as --json '{"name":"","lines":[{"cents":"0"}]}'"#
            ]],
        );
        read("One", Some("{} {}"), expect!["error: a.S/One takes one a.Order, 2 were given"]);
        read("One", Some(" "), expect!["error: a.S/One takes one a.Order, 0 were given"]);
    }

    #[test]
    fn several_values_are_several_messages() {
        read("Many", Some("{\"name\": \"a\"}\n{\"name\": \"b\"}{}"), expect![[r#"{"name":"a"} {"name":"b"} {}"#]]);
        read("Many", Some(""), expect![""]);
        read("Many", Some("-"), expect!["standard input of a.Order"]);
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_by_its_path() {
        read(
            "Many",
            Some(r#"{} {"lines": [{}, {"cents": "many"}]}"#),
            expect![[r#"
            error: request 2, field lines[1].cents: invalid digit found in string at line 1 column 34 (wanted: a.Order)
            P0018: `passerelle explain P0018` tells what it means and the way out"#]],
        );
        read(
            "One",
            Some(r#"{"nome": "Ann"}"#),
            expect![[r#"
            error: request 1: unrecognized field name 'nome' at line 1 column 8 (wanted: a.Order)
            P0018: `passerelle explain P0018` tells what it means and the way out"#]],
        );
        read(
            "One",
            Some(r#"{"name": "#),
            expect![[r#"
            error: request 1, field name: EOF while parsing a value at line 1 column 9 (wanted: a.Order)
            P0018: `passerelle explain P0018` tells what it means and the way out"#]],
        );
        read(
            "One",
            Some("{name: 'Ann'}"),
            expect![[r#"
            error: request 1: key must be a string at line 1 column 2 (wanted: a.Order)
            P0018: `passerelle explain P0018` tells what it means and the way out"#]],
        );
        read(
            "One",
            Some("[]"),
            expect![[r#"
            error: request 1: invalid type: sequence, expected a map at line 1 column 1 (wanted: a.Order)
            P0018: `passerelle explain P0018` tells what it means and the way out"#]],
        );
        read(
            "One",
            Some("@/nowhere/request.json"),
            expect!["error: cannot read /nowhere/request.json: No such file or directory (os error 2)"],
        );
    }

    #[tokio::test]
    async fn values_are_sent_as_they_come_until_one_does_not_fit() {
        let (mut input, output) = io::pipe().map(|(output, input)| (input, output)).unwrap();
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (fault, broken) = oneshot::channel();
        let kind = method("Many").input();
        std::thread::spawn(move || forward(Values::new(kind, output), &sender, fault));
        let mut messages = ReceiverStream::new(receiver);
        for name in ["a", "b"] {
            io::Write::write_all(&mut input, format!("{{\"name\": \"{name}\"}}\n").as_bytes()).unwrap();
            let message = messages.next().await.unwrap();
            assert_eq!(message.get_field_by_name("name").unwrap().as_str(), Some(name));
        }
        io::Write::write_all(&mut input, b"{\"name\": 7}\n").unwrap();
        assert!(messages.next().await.is_none());
        expect![[r#"
            error: request 3, field name: invalid type: integer `7`, expected a string at line 3 column 11 (wanted: a.Order)
            P0018: `passerelle explain P0018` tells what it means and the way out"#]]
        .assert_eq(&Fault(broken).came().await.text());
    }
}
