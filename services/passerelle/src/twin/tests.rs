//! Which recorded call answers which request, and how a stream both ways is followed.

use std::path::PathBuf;

use data_encoding::BASE64;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::conversation::Conversation;
use super::method::{Likeness, Method, Request};
use super::{Manner, Speed, Twin, Unknown, load};

const TEXT: &str = "syntax = \"proto3\"; package a; \
    message Ask { string name = 1; int64 amount = 2; string stamp = 3; repeated Ask more = 4; } message Told { string text = 1; Ask of = 2; } \
    service S { rpc One(Ask) returns (Told); rpc Both(stream Ask) returns (stream Told); rpc Never(Ask) returns (Told); }";

fn manner() -> Manner {
    Manner { speed: Speed::Fast, unknown: Unknown::NotFound, ignored: ["a.Ask.stamp".to_owned()].into() }
}

fn header() -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.proto"), TEXT).unwrap();
    let set = protox::Compiler::new([folder.path()])
        .unwrap()
        .include_imports(true)
        .open_file("a.proto")
        .unwrap()
        .encode_file_descriptor_set();
    json!({
        "passerelle_recording": 1, "contract": "a", "version": 1, "digest": "", "started_at": "", "redacted_fields": ["a.Ask.name"],
        "descriptors": BASE64.encode(&set),
    })
    .to_string()
}

fn files(texts: &[String]) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let paths = texts.iter().enumerate().map(|(number, text)| {
        let path = folder.path().join(format!("{number}.jsonl"));
        std::fs::write(&path, text).unwrap();
        path
    });
    let paths = paths.collect();
    (folder, paths)
}

fn loaded(lines: &[Value]) -> Result<Twin, String> {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (folder, paths) = files(&[format!("{}\n{lines}", header())]);
    load(&paths, &manner()).map_err(|error| error.replace(folder.path().to_str().unwrap(), ""))
}

fn one(request: Value, text: &str) -> Value {
    json!({"method": "a.S/One", "requests": [request], "answers": [{"message": {"text": text}}], "status": {"code": "OK"}})
}

fn asked(method: &Method, json: Value) -> Request {
    method.request(DynamicMessage::deserialize(method.descriptor.input(), json).unwrap()).unwrap()
}

/// What answers, and how like it is.
fn answer(method: &Method, json: Value) -> Option<(String, Likeness)> {
    let found = method.find(&[asked(method, json)])?;
    let text = found.call.answers[0].message.get_field_by_name("text").unwrap().as_str().unwrap().to_owned();
    Some((text, found.likeness))
}

#[test]
fn equal_requests_are_answered_in_their_order_and_the_last_answer_stays() {
    let ask = json!({"amount": "7"});
    let twin = loaded(&[one(ask.clone(), "open"), one(json!({"amount": "8"}), "other"), one(ask.clone(), "closed")]).unwrap();
    let method = &twin.methods["/a.S/One"];
    let told: Vec<String> = (0..4).map(|_| answer(method, ask.clone()).unwrap().0).collect();
    assert_eq!(told, ["open", "closed", "closed", "closed"]);
}

#[test]
fn fields_that_are_replaced_or_ignored_are_not_compared_unless_all_is_the_same() {
    let twin = loaded(&[
        one(json!({"name": "qwe", "amount": "7", "stamp": "1"}), "first"),
        one(json!({"name": "rty", "amount": "7", "stamp": "2"}), "second"),
    ]);
    let twin = twin.unwrap();
    let method = &twin.methods["/a.S/One"];
    assert_eq!(answer(method, json!({"name": "rty", "amount": "7", "stamp": "2"})), Some(("second".to_owned(), Likeness::Exact)));
    let ann = answer(method, json!({"name": "Ann", "amount": "7", "stamp": "3"})).unwrap();
    assert_eq!(ann.1, Likeness::Alike);
    assert_eq!(
        answer(method, json!({"name": "Ann", "amount": "7", "stamp": "3"})),
        Some(ann),
        "the same caller, the same answer"
    );
    let others: std::collections::BTreeSet<String> =
        (0..50).map(|number| answer(method, json!({"name": format!("n{number}"), "amount": "7"})).unwrap().0).collect();
    assert_eq!(others.len(), 2, "other callers meet the other recorded one too");
    assert_eq!(answer(method, json!({"name": "qwe", "amount": "9"})), None);
    let nearest = method.nearest(&[asked(method, json!({"amount": "9", "more": [{}]}))]).unwrap();
    assert_eq!(super::compare::listed(&nearest.differing), "amount, more");
}

#[test]
fn the_callers_own_values_stand_for_the_pseudonyms() {
    let call = json!({
        "method": "a.S/One", "requests": [{"name": "Qwerty", "amount": "7", "more": [{"name": "Uiop"}]}], "status": {"code": "OK"},
        "answers": [{"message": {"text": "Qwerty", "of": {"name": "Uiop", "amount": "7"}}}],
    });
    let twin = loaded(&[call]).unwrap();
    let method = &twin.methods["/a.S/One"];
    let sent = asked(method, json!({"name": "Ann", "amount": "7", "more": [{"name": "Bob"}]}));
    let found = method.find(std::slice::from_ref(&sent)).unwrap();
    let mut echo = super::echo::Echo::default();
    echo.learn(&found.call.requests[0].message, &sent.message);
    let mut told = found.call.answers[0].message.clone();
    echo.speak(&mut told);
    assert_eq!(serde_json::to_value(&told).unwrap(), json!({"text": "Ann", "of": {"name": "Bob", "amount": "7"}}));
}

#[test]
fn a_stream_both_ways_is_told_apart_by_what_the_caller_says() {
    let both = |names: &[i64], texts: &[&str]| {
        let requests: Vec<Value> = names.iter().map(|amount| json!({"amount": amount.to_string()})).collect();
        let answers =
            texts.iter().enumerate().map(|(number, text)| json!({"after_requests": number + 1, "message": {"text": text}}));
        json!({"method": "a.S/Both", "requests": requests, "answers": answers.collect::<Vec<_>>(), "status": {"code": "OK"}})
    };
    let twin =
        loaded(&[both(&[1, 2], &["one", "two"]), both(&[1, 3], &["one", "three"]), both(&[1, 4], &["uno", "four"])]).unwrap();
    let method = &twin.methods["/a.S/Both"];
    let mut conversation = Conversation::new(method);
    assert_eq!(conversation.next(), None, "nobody has said anything");
    let mut said = |amount: &str| {
        let heard = conversation.hear(&asked(method, json!({ "amount": amount })));
        let call = conversation.call().unwrap();
        let text = |place: usize| call.answers[place].message.get_field_by_name("text").unwrap().as_str().unwrap().to_owned();
        heard.then(|| conversation.next().map(text))
    };
    assert_eq!(said("1"), Some(Some("one".to_owned())));
    assert_eq!(said("4"), None, "its beginning was answered otherwise");
    assert_eq!(said("3"), Some(Some("three".to_owned())));
    assert!(conversation.is_over() && conversation.ended());
}

#[test]
fn a_recording_that_cannot_be_played_names_file_and_line() {
    let refused = |line: Value| loaded(&[line]).err().unwrap();
    let cases = [
        (json!({"method": "a.S/Two"}), "/0.jsonl:2: the contract has no method a.S/Two"),
        (
            json!({"method": "a.S/One", "requests": [{"nome": 1}]}),
            "/0.jsonl:2: request 1: no a.Ask: unrecognized field name 'nome'",
        ),
        (json!({"method": "a.S/One", "status": {"code": "NO"}}), "/0.jsonl:2: no status code is named NO"),
        (json!({"method": "a.S/One", "ended_ms": -1}), "/0.jsonl:2: -1 ms is no time"),
        (json!({"metod": "a.S/One"}), "/0.jsonl:2: metod: unknown field `metod`"),
    ];
    for (line, expected) in cases {
        let error = refused(line);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_file_that_was_cut_is_played_up_to_its_last_whole_line() {
    let whole = format!("{}\n{}\n{{\"method\":\"a.S/O", header(), one(json!({}), "told"));
    let (_folder, paths) = files(&[whole.clone(), whole]);
    let twin = load(&paths, &manner()).unwrap();
    assert_eq!(twin.played().collect::<Vec<_>>(), [("a.S/One", 2)]);
    assert_eq!(twin.remarks.len(), 2);
    assert!(twin.remarks[0].contains("broken off"));
    assert!(twin.check_ignored(&["a.Ask.stamp".to_owned()]).is_ok());
    assert!(twin.check_ignored(&["a.Ask.stump".to_owned()]).unwrap_err().contains("a.Ask.stump"));
}
