//! What the registry refuses, against which versions, and what an operator may say to it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use expect_test::expect;
use http::HeaderMap;

use super::compatibility::{Against, Level, Policy, RuleSet};
use super::fixture::contract;
use super::{Added, Image, MemoryStore, Registration, Registry, RegistryError, Seen, Source};

const OLD: &str = "string name = 1; int32 age = 2;";
const RENAMED: &str = "string called = 1; int32 age = 2;";

fn registry(policy: Policy) -> (Arc<MemoryStore>, Registry) {
    let store = Arc::new(MemoryStore::default());
    (store.clone(), Registry::open(store).unwrap().judging_by(policy))
}

fn image(fields: &str) -> Image {
    Image::decode(contract("desk.v1", fields)).unwrap()
}

fn add(registry: &Registry, fields: &str, reason: Option<&str>) -> Result<Added, RegistryError> {
    registry.add(Registration {
        name: None,
        image: image(fields),
        source: Source::Upload("test".to_owned()),
        binding: None,
        override_reason: reason.map(str::to_owned),
        at: SystemTime::UNIX_EPOCH,
    })
}

#[test]
fn a_refusal_names_rule_element_place_consumers_and_the_way_out() {
    let (_, registry) = registry(Policy::default());
    add(&registry, OLD, None).unwrap();
    let input = registry.snapshot().contract("desk.v1", None).unwrap().services[0].methods[0].input.clone();
    let headers = HeaderMap::from_iter([(http::HeaderName::from_static("passerelle-channel"), "web".parse().unwrap())]);
    registry.consumers().method("/desk.v1.Desk/Follow").record(&headers, Instant::now(), &input).unwrap().look_into(b"\x0a\x01a");
    let refused = add(&registry, RENAMED, None).unwrap_err().to_string();
    expect![[r#"
        desk.v1: 2 incompatible changes
        desk/v1.proto:1:53: FIELD_SAME_JSON_NAME: field called (1) of desk.v1.Asked: JSON name name, now JSON name called (promised by @1)
          used by channel web: 1 calls of /desk.v1.Desk/Follow, the last 0 s ago; the field was in 1 of 1 looked into
          what to do: give the field its old JSON name: [json_name = "…"]
        desk/v1.proto:1:60: FIELD_SAME_NAME: field called (1) of desk.v1.Asked: name name, now name called (promised by @1)
          used by channel web: 1 calls of /desk.v1.Desk/Follow, the last 0 s ago; the field was in 1 of 1 looked into
          what to do: leave the field as it was and add another with a number of its own"#]].assert_eq(&refused.replace("the last 1 s", "the last 0 s"));
    assert_eq!(registry.snapshot().versions("desk.v1").len(), 1, "nothing changed");
}

#[test]
fn callers_of_the_last_version_are_protected_or_those_of_all() {
    // A type is compared where the field is: the second version has none, so that only the first has promised one.
    let same_type = |against| {
        let rules = RuleSet::of(&["FIELD_SAME_TYPE"], &[]).unwrap();
        Policy { global: Level { rules, against }, ..Policy::default() }
    };
    let outcome = |against| {
        let (_, registry) = registry(same_type(against));
        let taken = |fields: &str| add(&registry, fields, None).is_ok();
        [taken("string name = 1;"), taken("int32 age = 2;"), taken("int64 name = 1;")]
    };
    assert_eq!(outcome(Against::Last), [true, true, true]);
    assert_eq!(outcome(Against::All), [true, true, false]);
}

#[test]
fn what_breaks_several_versions_alike_is_told_once() {
    let (_, registry) =
        registry(Policy { global: Level { against: Against::All, ..Policy::default().global }, ..Policy::default() });
    add(&registry, OLD, None).unwrap();
    add(&registry, "string name = 1; int32 age = 2; bool new = 3;", None).unwrap();
    let Err(RegistryError::Incompatible(refusal)) = add(&registry, RENAMED, None) else { panic!("it is refused") };
    let told: Vec<_> = refusal.breaches.iter().map(|breach| (breach.finding.rule.name(), breach.against)).collect();
    expect![[r#"
        [
            (
                "FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
                2,
            ),
            (
                "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
                2,
            ),
            (
                "FIELD_SAME_JSON_NAME",
                2,
            ),
            (
                "FIELD_SAME_NAME",
                2,
            ),
        ]
    "#]]
    .assert_debug_eq(&told);
}

#[test]
fn an_operator_may_say_that_a_break_is_meant_and_that_is_kept() {
    let (store, registry) = registry(Policy::default());
    add(&registry, OLD, Some("not needed")).unwrap();
    let added = add(&registry, RENAMED, Some("agreed")).unwrap();
    assert_eq!(added.newest, 2);
    drop(registry);
    let again = Registry::open(store).unwrap().snapshot();
    let overridden = |version| again.contract("desk.v1", Some(version)).unwrap().overridden.clone();
    assert_eq!(overridden(1), None, "nothing was broken");
    assert_eq!(overridden(2).unwrap().reason, "agreed");
    assert!(overridden(2).unwrap().broken.iter().any(|line| line.contains("FIELD_SAME_NAME")));
}

#[test]
fn without_rules_all_is_let_in() {
    let (_, registry) = registry(Policy {
        global: Level { rules: RuleSet::of::<&str>(&[], &[]).unwrap(), against: Against::All },
        ..Policy::default()
    });
    add(&registry, OLD, None).unwrap();
    assert_eq!(add(&registry, RENAMED, None).unwrap().newest, 2);
}

#[test]
fn a_server_that_says_something_else_is_noted_once_and_forgotten_when_it_is_right_again() {
    let (_, registry) = registry(Policy::default());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let look = |fields: &str| registry.watch("desk.v1", &[("http://desk:1", &image(fields))], now).unwrap();
    assert_eq!(look(OLD), Seen::Unknown);
    add(&registry, OLD, None).unwrap();
    assert_eq!(look(OLD), Seen::Same);
    for expected in [true, false] {
        let Seen::Drifted { drift, news } = look(RENAMED) else { panic!("it differs") };
        assert_eq!((news, drift.broken.is_empty(), drift.address.as_str()), (expected, false, "http://desk:1"));
    }
    assert!(registry.drift("desk.v1").is_some());
    let Seen::Drifted { drift, news: true } = look("string name = 1; int32 age = 2; bool more = 3;") else {
        panic!("it differs")
    };
    assert!(drift.broken.is_empty(), "it is compatible: {drift:?}");
    assert_eq!(look(OLD), Seen::Same);
    assert_eq!(registry.drift("desk.v1"), None);
    assert_eq!(registry.snapshot().versions("desk.v1").len(), 1, "what is served never changed");
}

#[test]
fn a_server_that_was_upgraded_before_the_others_is_told_once_and_since_when() {
    let (_, registry) = registry(Policy::default());
    add(&registry, OLD, None).unwrap();
    let (old, renamed) = (image(OLD), image(RENAMED));
    let told = [("http://desk:1", &old), ("http://desk:2", &renamed)];
    let first = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    for (now, expected) in [(first, true), (first + Duration::from_secs(1), false)] {
        let Seen::Drifted { drift, news } = registry.watch("desk.v1", &told, now).unwrap() else { panic!("it differs") };
        assert_eq!((drift.address.as_str(), news), ("http://desk:2", expected));
    }
    assert_eq!(registry.drift("desk.v1").unwrap().seen_at, first);
}

#[test]
fn each_name_that_is_no_longer_reserved_is_told() {
    let (_, registry) = registry(Policy::default());
    add(&registry, "string name = 1; reserved \"one\", \"other\";", None).unwrap();
    let Err(RegistryError::Incompatible(refusal)) = add(&registry, "string name = 1;", None) else { panic!("it is refused") };
    let told: Vec<_> = refusal.breaches.iter().map(|breach| breach.finding.message()).collect();
    assert_eq!(
        told,
        [
            "message desk.v1.Asked: reserved \"one\", now without \"one\"",
            "message desk.v1.Asked: reserved \"other\", now without \"other\""
        ]
    );
}
