//! What leaves the bus of a call: personal values of no sort, at no depth, and all else as it was.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use expect_test::expect;
use passerelle_bus::call::record::{Answer, Captured};
use passerelle_bus::contract::{Contract, Image, MemoryStore, Registration, Registry, Source};
use passerelle_proto::bus::v1;
use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::kept::Keeper;
use super::keys;
use super::pseudonym::Pseudonyms;
use crate::fixture::compile;

const OPTIONS: &str = include_str!("../../../proto/passerelle/options.proto");
const BANK: &str = r#"
    syntax = "proto3"; package bank.v1;
    import "google/protobuf/any.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/timestamp.proto";
    import "google/protobuf/wrappers.proto"; import "passerelle/options.proto";
    enum Level { NONE = 0; GOLD = 1; }
    message Person {
      string name = 1 [debug_redact = true];
      string plain = 2;
      int64 number = 3 [(passerelle.personal) = { class: IDENTIFIER purpose: "find him" }];
      Level level = 4 [debug_redact = true];
      bool vip = 5 [debug_redact = true];
      bytes picture = 6 [debug_redact = true];
      repeated string phones = 7 [(passerelle.personal) = { class: CONTACT purpose: "call him" }];
      map<string, int32> balances = 8 [(passerelle.personal) = { class: FINANCIAL purpose: "tell him" }];
      map<string, string> notes = 9;
      oneof key { string email = 10 [debug_redact = true]; int32 branch = 11; }
      string password = 12 [(passerelle.personal) = { class: SECRET purpose: "log him in" }];
      Address address = 13 [debug_redact = true];
      repeated Person children = 14;
      google.protobuf.Any more = 15;
      google.protobuf.Struct free = 16 [debug_redact = true];
      google.protobuf.Timestamp born = 17 [debug_redact = true];
      google.protobuf.StringValue nick = 18 [debug_redact = true];
      double income = 19 [debug_redact = true];
      repeated google.protobuf.Any all = 20;
      int64 copy = 21;
    }
    message Address { string street = 1; int32 house = 2; Address second = 3; }
    message Plain { string id = 1; }
    service Bank { rpc Find(Person) returns (stream Person); rpc Ping(Plain) returns (Plain); }
"#;
const FIND: &str = "/bank.v1.Bank/Find";

fn contract() -> Arc<Contract> {
    let image = Image::decode(compile(&[("bank.proto", BANK), ("passerelle/options.proto", OPTIONS)])).unwrap();
    let registry = Registry::open(Arc::new(MemoryStore::default())).unwrap();
    let source = Source::Upload("bank.proto".to_owned());
    let at = SystemTime::UNIX_EPOCH;
    registry.add(Registration { name: None, image, source, binding: None, override_reason: None, at }).unwrap().contract
}

fn message(contract: &Contract, name: &str, json: Value) -> Bytes {
    let kind = contract.image.pool().get_message_by_name(name).unwrap();
    DynamicMessage::deserialize(kind, json).unwrap().encode_to_vec().into()
}

/// As it would pass, through recorders of the bus.
fn captured(path: &str, requests: Vec<Bytes>, answers: Vec<Bytes>, status: Status) -> Captured {
    let answer = |message| Answer { message, after: Duration::from_millis(3), after_requests: 1 };
    Captured::whole(path, requests, answers.into_iter().map(answer).collect(), status)
}

fn keep(call: &Captured) -> Option<(Value, v1::RecordedCall)> {
    let contract = contract();
    let keeper = Keeper::with(contract.clone(), Pseudonyms::with_key(b"a key for tests"));
    let kept = keeper.keep(call)?;
    let kind = contract.image.pool().get_message_by_name("bank.v1.Person").unwrap();
    let json = |bytes: &[u8]| serde_json::to_value(DynamicMessage::decode(kind.clone(), bytes).unwrap()).unwrap();
    let requests: Vec<Value> = kept.requests.iter().map(|request| json(request)).collect();
    Some((json!(requests), kept))
}

fn person(json: Value) -> Captured {
    let contract = contract();
    let person = message(&contract, "bank.v1.Person", json);
    captured(FIND, vec![person.clone()], vec![person], Status::ok(""))
}

#[test]
fn declared_values_are_replaced_wherever_they_stand_and_the_rest_stays() {
    let whole = person(json!({
        "name": "Jean Dupont", "plain": "hello", "number": "4711", "level": "GOLD", "vip": true, "picture": "AQIDBAUG",
        "phones": ["+33 612345678"], "balances": {"current account": 120_000}, "notes": {"colour": "blue"}, "email": "jean@dupont.example",
        "password": "hunter22", "address": {"street": "Main Street", "house": 221, "second": {"street": "Back Lane"}},
        "children": [{"name": "Zoe Dupont", "plain": "small"}],
        "more": {"@type": "type.googleapis.com/bank.v1.Person", "name": "Jean Dupont", "plain": "in an Any"},
        "free": {"words": ["secret", 12, true, null]}, "born": "1970-05-17T10:00:00Z", "nick": "Jeannot", "income": 51_200.5,
    }));
    let (requests, kept) = keep(&whole).unwrap();
    expect![[r#"
        [
          {
            "name": "Nilq Ddxbyw",
            "plain": "hello",
            "number": "6759",
            "picture": "HNX6A96k",
            "phones": [
              "+06 870023328"
            ],
            "balances": {
              "leotafh tvbbzzh": 785062
            },
            "notes": {
              "colour": "blue"
            },
            "email": "oagz@fjybts.sqlryya",
            "address": {
              "street": "Cglm Cwuffo",
              "house": 422,
              "second": {
                "street": "Ytxm Mhyc"
              }
            },
            "children": [
              {
                "name": "Esy Maldhi",
                "plain": "small"
              }
            ],
            "more": {
              "@type": "type.googleapis.com/bank.v1.Person",
              "name": "Nilq Ddxbyw",
              "plain": "in an Any"
            },
            "free": {
              "ilbmv": [
                "kwcgbi",
                27.0,
                false,
                null
              ]
            },
            "born": "2027-04-15T06:34:04Z",
            "nick": "Qkhrwoe",
            "income": 76889.64
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&requests).unwrap());
    assert_eq!(kept.requests[0], kept.answers[0].message, "equal values stay equal");
}

#[test]
fn personal_values_are_found_where_nothing_declares_them() {
    let call = person(json!({
        "name": "Jean Dupont", "number": "4711", "plain": "file of Jean Dupont, no. 004711", "notes": {"Jean Dupont": "4711"}, "copy": "4711",
    }));
    let (requests, _) = keep(&call).unwrap();
    expect![[r#"[{"name":"Nilq Ddxbyw","plain":"file of Nilq Ddxbyw, no. 006759","number":"6759","notes":{"Nilq Ddxbyw":"6759"},"copy":"6759"}]"#]].assert_eq(&requests.to_string());
}

#[test]
fn what_nobody_can_read_is_not_kept() {
    let mut unknown = message(&contract(), "bank.v1.Person", json!({"plain": "a"})).to_vec();
    unknown.extend([0x92, 0x3f, 3, b'A', b'n', b'n']);
    let (requests, kept) = keep(&captured(FIND, vec![unknown.into()], vec![], Status::ok(""))).unwrap();
    assert_eq!(requests, json!([{"plain": "a"}]), "a field that the contract does not know is dropped");
    assert_eq!(kept.requests[0].len(), 3);
    // An Any of a type that the contract does not have.
    let person = [0xa2, 0x01, 12, 0x0a, 5, b'x', b'/', b'a', b'.', b'B', 0x12, 3, b'A', b'n', b'n', 0x12, 1, b'b'].to_vec();
    let (requests, _) = keep(&captured(FIND, vec![person.into()], vec![], Status::ok(""))).unwrap();
    assert_eq!(requests, json!([{"plain": "b"}]));
    assert!(keep(&captured(FIND, vec![vec![0xff, 0xff].into()], vec![], Status::ok(""))).is_none());
    assert!(keep(&captured("/bank.v1.Bank/Other", vec![], vec![], Status::ok(""))).is_none());
}

#[test]
fn texts_of_an_outcome_are_kept_only_where_no_data_is_personal() {
    let mut details = ErrorDetails::new();
    details.set_retry_info(Some(Duration::from_secs(2)));
    details.set_error_info("NO_SUCH_PERSON", "bank.example", [("name".to_owned(), "Ann".to_owned())]);
    details.add_bad_request_violation("name", "Ann is nobody");
    let status = Status::with_error_details(Code::NotFound, "there is no Ann", details);
    let shown = |path| {
        let status = keep(&captured(path, vec![], vec![], status.clone())).unwrap().1.status.unwrap();
        let google = prost_reflect::DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET).unwrap();
        let detail = |any: &prost_types::Any| {
            let kind = google.get_message_by_name(any.type_url.rsplit('/').next().unwrap()).unwrap();
            serde_json::to_string(&DynamicMessage::decode(kind, any.value.as_slice()).unwrap()).unwrap()
        };
        let details: Vec<String> = status.details.iter().map(detail).collect();
        format!("{} {:?} {} {}", status.code, status.message, status.message_left_out, details.join(" "))
    };
    expect![[r#"5 "" true {"retryDelay":"2s"} {"reason":"NO_SUCH_PERSON","domain":"bank.example"} {"fieldViolations":[{"field":"name"}]}"#]]
        .assert_eq(&shown(FIND));
    expect![[r#"5 "there is no Ann" false {"retryDelay":"2s"} {"reason":"NO_SUCH_PERSON","domain":"bank.example","metadata":{"name":"Ann"}} {"fieldViolations":[{"field":"name","description":"Ann is nobody"}]}"#]]
        .assert_eq(&shown("/bank.v1.Bank/Ping"));
}

#[test]
fn credentials_are_never_recorded() {
    for never in ["authorization", "Cookie", "set-cookie", "proxy-authorization", "grpc-timeout", "no key"] {
        assert_eq!(keys(&[never.to_owned()]).unwrap_err().code(), Code::InvalidArgument, "{never}");
    }
    let kept = keys(&["x-branch".to_owned(), "passerelle-channel".to_owned()]).unwrap();
    assert_eq!(kept, ["grpc-retry-pushback-ms", "passerelle-channel", "x-branch"]);
    assert!(keys(&vec!["a".to_owned(); 17]).is_err());
}

/// A person whose personal values are all among `secrets`, with them in other places too.
fn holding(secrets: &[String], depth: usize) -> Value {
    let secret = |place: usize| &secrets[place % secrets.len()];
    let mut person = json!({
        "name": secret(0), "phones": [secret(1), secret(2)], "balances": {secret(3): 1}, "notes": {secret(4): secret(0)},
        "email": secret(4), "password": secret(5), "address": {"street": secret(1), "second": {"street": secret(2)}},
        "free": {secret(3): [secret(0), {"x": secret(5)}]}, "nick": secret(3), "plain": format!("<{}>{}", secret(5), secret(2)),
    });
    if depth > 0 {
        let mut inner = holding(secrets, depth - 1);
        person["children"] = json!([inner.clone()]);
        inner["@type"] = json!("type.googleapis.com/bank.v1.Person");
        person["all"] = json!([inner.clone(), inner.clone()]);
        person["more"] = inner;
    }
    person
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Letters only, and enough of them: a pseudonym that holds another's original by chance would be no leak.
    #[test]
    fn no_personal_value_leaves_the_bus(
        secrets in prop::collection::vec("[a-zA-Zäöüéß @.]{3}[a-zA-Z]{6,20}", 6), depth in 0_usize..3, text in "[a-z ]{0,10}",
    ) {
        let status = Status::not_found(format!("{text}{}", secrets[0]));
        let contract = contract();
        let person = message(&contract, "bank.v1.Person", holding(&secrets, depth));
        let (requests, kept) = keep(&captured(FIND, vec![person.clone()], vec![person], status)).unwrap();
        let bytes = kept.encode_to_vec();
        for secret in secrets.iter().map(|secret| secret.as_bytes()) {
            prop_assert!(!bytes.windows(secret.len()).any(|window| window == secret));
            let json = requests.to_string();
            prop_assert!(!json.as_bytes().windows(secret.len()).any(|window| window == secret));
        }
    }
}
