//! What a subject file is refused for.

use std::path::Path;

use expect_test::expect;

use super::{Class, SubjectFile};

fn refusals(texts: &[&str]) -> String {
    let parse = |text: &&str| SubjectFile::parse(Path::new("conformance.yaml"), text);
    texts.iter().map(|text| parse(text).map_or_else(|error| error.to_string(), |_| "taken".to_owned()) + "\n").collect()
}

#[test]
fn what_cannot_be_used_is_told_with_its_place() {
    expect![[r#"
        conformance.yaml:1:1: setings: unknown field `setings`, expected one of endpoint, command, environment, settings, behind, calls, refusals, effect, stream, slow, receive, markers
        conformance.yaml:2:29: refusals[0].fault: unknown variant `missing`, expected one of invalid, conflict, not_found, denied, precondition, throttled, unavailable, unauthenticated, deadline_exceeded, unknown, unimplemented
        conformance.yaml: endpoint: `ledger.sock` is neither unix:PATH nor http://HOST:PORT
        conformance.yaml: behind: `127.0.0.1:1` does not stand in the settings, so the proxy cannot take its place
        conformance.yaml: behind: `there` is no HOST:PORT
        conformance.yaml: stream.messages: a stream of fewer than 3 messages shows nothing
        conformance.yaml: slow.takes_ms: between 1000 and 10000
        conformance.yaml: markers: one has fewer than 4 bytes, and would be found by chance
        conformance.yaml: effect.proof.grows_by: 0 would show no effect
        taken
    "#]]
    .assert_eq(&refusals(&[
        "setings: {}",
        "refusals:\n  - { method: a.S/M, fault: missing }",
        "endpoint: ledger.sock",
        "behind: 127.0.0.1:1",
        "settings: { system: there }\nbehind: there",
        "stream: { method: a.S/M, messages: 2 }",
        "slow: { method: a.S/M, takes_ms: 10 }",
        "markers: [abc]",
        "effect: { method: a.S/M, proof: { method: a.S/M, path: n, grows_by: 0 } }",
        "{}",
    ]));
}

#[test]
fn a_file_is_read_as_it_is_written() {
    let text = "refusals:\n  - { method: a.S/M, fault: not_found }\nstream: { method: a.S/L, request: { id: 1 }, messages: 3 }\n";
    let file = SubjectFile::parse(Path::new("conformance.yaml"), text).unwrap();
    assert_eq!(file.refusals[0].fault, Class::NotFound);
    assert_eq!(file.stream.unwrap().messages, 3);
}
