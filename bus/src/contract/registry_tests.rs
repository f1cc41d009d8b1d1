//! The registry: versions, clashes, bindings, removal, and what outlives a restart.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};

use super::fixture::{compile, contract};
use super::{
    Added, Binding, Change, Image, MemoryStore, Record, Registration, Registry, RegistryError, Source, Store, StoreError,
};

const NAME: &str = "string name = 1;";
const NAME_AND_AGE: &str = "string name = 1; int32 age = 2;";

fn registration(bytes: Vec<u8>) -> Registration {
    Registration {
        name: None,
        image: Image::decode(bytes).unwrap(),
        source: Source::Upload("test".to_owned()),
        binding: None,
        override_reason: None,
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
    }
}

fn named(name: &str, bytes: Vec<u8>) -> Registration {
    Registration { name: Some(name.to_owned()), ..registration(bytes) }
}

fn bound(binding: Binding, bytes: Vec<u8>) -> Registration {
    Registration { binding: Some(binding), ..registration(bytes) }
}

fn empty() -> Registry {
    Registry::open(Arc::new(MemoryStore::default())).unwrap()
}

fn did(added: &Added) -> (String, Change, u32) {
    (added.contract.id(), added.change, added.newest)
}

fn listed(registry: &Registry) -> Vec<String> {
    registry.snapshot().contracts().map(|contract| contract.id()).collect()
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, RegistryError>, expected: Expect) {
    expected.assert_eq(&outcome.unwrap_err().to_string());
}

#[test]
fn a_contract_is_described_method_by_method() {
    let text = "syntax = \"proto3\"; package shop.v1; message Q {} message A {} service Till { \
                rpc Read(Q) returns (A) { option idempotency_level = NO_SIDE_EFFECTS; } \
                rpc Put(stream Q) returns (A) { option idempotency_level = IDEMPOTENT; } \
                rpc Tail(Q) returns (stream A); rpc Talk(stream Q) returns (stream A); }";
    let registry = empty();
    let added = registry.add(registration(compile(&[("shop/v1/till.proto", text)]))).unwrap();
    assert_eq!(did(&added), ("shop.v1@1".to_owned(), Change::Registered, 1));
    let lines: Vec<_> = added
        .contract
        .methods()
        .map(|method| format!("{} {} {:?} {}", method.path, method.kind(), method.idempotency, method.input.full_name()))
        .collect();
    expect![[r#"
        /shop.v1.Till/Read unary NoSideEffects shop.v1.Q
        /shop.v1.Till/Put client streaming Idempotent shop.v1.Q
        /shop.v1.Till/Tail server streaming Unknown shop.v1.Q
        /shop.v1.Till/Talk bidirectional streaming Unknown shop.v1.Q"#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(registry.snapshot().method("/shop.v1.Till/Put").unwrap().contract, "shop.v1");
    assert!(registry.snapshot().method("/shop.v1.Till/Nothing").is_none());
}

#[test]
fn a_contract_whose_messages_contain_themselves_can_be_written_in_a_log() {
    let text =
        "syntax = \"proto3\"; package tree; message Node { Node left = 1; } service Trees { rpc Walk(Node) returns (Node); }";
    let added = empty().add(registration(compile(&[("tree.proto", text)]))).unwrap();
    assert!(format!("{added:?}").contains("Method(/tree.Trees/Walk of tree@1)"));
}

#[test]
fn versions_live_side_by_side_and_calls_go_to_the_newest() {
    let registry = empty();
    registry.add(registration(contract("a.v1", NAME))).unwrap();
    let second = registry.add(registration(contract("a.v1", NAME_AND_AGE))).unwrap();
    assert_eq!(did(&second), ("a.v1@2".to_owned(), Change::Registered, 2));
    assert_eq!(listed(&registry), ["a.v1@1", "a.v1@2"]);
    let snapshot = registry.snapshot();
    assert_eq!(snapshot.method("/a.v1.Desk/Ask").unwrap().version, 2);
    assert_eq!(snapshot.contract("a.v1", Some(1)).unwrap().version, 1);
    assert_eq!(snapshot.newest().count(), 1);
    registry.remove("a.v1", Some(2)).unwrap();
    assert_eq!(registry.snapshot().method("/a.v1.Desk/Ask").unwrap().version, 1);
    assert_eq!(snapshot.method("/a.v1.Desk/Ask").unwrap().version, 2, "a snapshot in use does not change");
}

#[test]
fn the_same_content_is_the_same_version() {
    let registry = empty();
    let mut changes = registry.changes();
    registry.add(registration(contract("a.v1", NAME))).unwrap();
    assert_eq!(*changes.borrow_and_update(), 1);
    let again = registry.add(registration(contract("a.v1", NAME))).unwrap();
    assert_eq!(did(&again), ("a.v1@1".to_owned(), Change::Unchanged, 1));
    assert!(!changes.has_changed().unwrap());
    registry.add(registration(contract("a.v1", NAME_AND_AGE))).unwrap();
    let older = registry.add(registration(contract("a.v1", NAME))).unwrap();
    assert_eq!(did(&older), ("a.v1@1".to_owned(), Change::Unchanged, 2));
}

#[test]
fn a_new_binding_takes_the_place_of_the_old_one_and_new_versions_inherit_it() {
    let registry = empty();
    let first = Binding::Addresses(vec!["http://127.0.0.1:5001".to_owned()]);
    registry.add(bound(first.clone(), contract("a.v1", NAME))).unwrap();
    let second = registry.add(registration(contract("a.v1", NAME_AND_AGE))).unwrap();
    assert_eq!(second.contract.binding, Some(first));
    let elsewhere = Binding::Endpoint("bank".to_owned());
    let moved = registry.add(bound(elsewhere.clone(), contract("a.v1", NAME_AND_AGE))).unwrap();
    assert_eq!(did(&moved), ("a.v1@2".to_owned(), Change::Rebound, 2));
    assert_eq!(registry.snapshot().contract("a.v1", None).unwrap().binding, Some(elsewhere));
}

#[test]
fn a_method_belongs_to_one_contract() {
    let registry = empty();
    registry.add(registration(contract("a.v1", NAME))).unwrap();
    refused(
        registry.add(named("other", contract("a.v1", NAME_AND_AGE))),
        expect!["/a.v1.Desk/Ask already belongs to contract a.v1; remove that one, or register this under the name a.v1"],
    );
    assert_eq!(listed(&registry), ["a.v1@1"]);
    registry.remove("a.v1", None).unwrap();
    registry.add(named("other", contract("a.v1", NAME_AND_AGE))).unwrap();
    assert_eq!(listed(&registry), ["other@1"]);
}

#[test]
fn names_come_from_the_package_of_the_services() {
    let registry = empty();
    let service = "message M {} service S { rpc Do(M) returns (M); }";
    let two = compile(&[
        ("a.proto", &format!("syntax = \"proto3\"; package a; {service}")),
        ("b.proto", &format!("syntax = \"proto3\"; package b; {service}")),
    ]);
    refused(
        registry.add(registration(two.clone())),
        expect!["the services belong to several packages (a, b); name the contract"],
    );
    assert_eq!(registry.add(named("both", two)).unwrap().contract.methods().count(), 2);
    let bare = compile(&[("bare.proto", &format!("syntax = \"proto3\"; {service}"))]);
    refused(registry.add(registration(bare)), expect!["the services belong to several packages (no package); name the contract"]);
    for name in ["", "1st", "a/b", "a@2", "../a", &"a".repeat(201)] {
        let outcome = registry.add(named(name, contract("c.v1", NAME)));
        assert!(matches!(outcome, Err(RegistryError::InvalidName { .. })), "{name}");
    }
}

#[test]
fn services_that_come_along_as_imports_are_not_the_contract() {
    let registry = empty();
    let google =
        "syntax = \"proto3\"; package google.longrunning; message Op {} service Operations { rpc Get(Op) returns (Op); }";
    let ours = "syntax = \"proto3\"; package a; import \"google/longrunning/operations.proto\"; \
                service S { rpc Do(google.longrunning.Op) returns (google.longrunning.Op); }";
    let files = [("google/longrunning/operations.proto", google), ("a.proto", ours)];
    let added = registry.add(registration(compile(&files))).unwrap();
    assert_eq!(added.contract.id(), "a@1");
    assert_eq!(added.contract.methods().map(|method| method.path.as_str()).collect::<Vec<_>>(), ["/a.S/Do"]);
    let messages = compile(&[("m.proto", "syntax = \"proto3\"; message M {}")]);
    refused(
        registry.add(registration(messages)),
        expect!["the descriptors hold no service to call (grpc.health and grpc.reflection are the bus's own)"],
    );
    refused(
        registry.add(registration(passerelle_proto::DESCRIPTORS.to_vec())),
        expect!["passerelle.bus.v1.Contracts is a service of the bus itself and cannot be registered"],
    );
}

#[test]
fn bindings_name_an_endpoint_or_addresses() {
    let registry = empty();
    let refuse = |binding: Binding, expected: Expect| refused(registry.add(bound(binding, contract("a.v1", NAME))), expected);
    refuse(Binding::Addresses(vec![]), expect!["a contract is bound to an endpoint by name or to at least one address"]);
    refuse(Binding::Endpoint(String::new()), expect!["a contract is bound to an endpoint by name or to at least one address"]);
    for address in ["", "127.0.0.1:5001", "ftp://host:1", "http://", "http://a b"] {
        let outcome = registry.add(bound(Binding::Addresses(vec![address.to_owned()]), contract("a.v1", NAME)));
        assert!(matches!(outcome, Err(RegistryError::InvalidAddress { .. })), "{address}");
    }
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let registry = empty();
    refused(registry.remove("a", None), expect!["no contract a; registered: none"]);
    registry.add(registration(contract("a.v1", NAME))).unwrap();
    refused(registry.remove("a", None), expect!["no contract a; registered: a.v1"]);
    refused(registry.remove("a.v1", Some(7)), expect!["no contract a.v1@7; registered: a.v1@1"]);
}

#[test]
fn contracts_of_settings_and_adapters_are_neither_kept_nor_removed() {
    let store = Arc::new(MemoryStore::default());
    let registry = Registry::open(Arc::clone(&store) as Arc<dyn Store>).unwrap();
    let source = Source::Adapter("bank".to_owned());
    registry.add(Registration { source, ..registration(contract("a.v1", NAME)) }).unwrap();
    refused(registry.remove("a.v1", None), expect!["a.v1@1 comes from the adapter at endpoint bank; take it out there"]);
    assert!(store.load().unwrap().is_empty());
}

#[test]
fn a_restart_finds_all_as_it_was() {
    let store = Arc::new(MemoryStore::default());
    let registry = Registry::open(Arc::clone(&store) as Arc<dyn Store>).unwrap();
    registry.add(bound(Binding::Endpoint("bank".to_owned()), contract("a.v1", NAME))).unwrap();
    registry.add(registration(contract("a.v1", NAME_AND_AGE))).unwrap();
    registry.add(registration(contract("b.v1", NAME))).unwrap();
    registry.remove("a.v1", Some(1)).unwrap();
    let again = Registry::open(store).unwrap();
    assert_eq!(listed(&again), ["a.v1@2", "b.v1@1"]);
    let (before, after) = (registry.snapshot(), again.snapshot());
    let records =
        |snapshot: &super::Snapshot| snapshot.contracts().map(|contract| Record::from(contract.as_ref())).collect::<Vec<_>>();
    assert_eq!(records(&before), records(&after));
    assert_eq!(after.method("/a.v1.Desk/Ask").unwrap().version, 2);
}

/// Gives one record back changed, and keeps nothing.
struct Broken(Option<Record>);

impl Store for Broken {
    fn load(&self) -> Result<Vec<Record>, StoreError> {
        Ok(self.0.iter().cloned().collect())
    }

    fn save(&self, _record: &Record) -> Result<(), StoreError> {
        Err(StoreError("disk full".to_owned()))
    }

    fn remove(&self, _name: &str, _version: u32) -> Result<(), StoreError> {
        Err(StoreError("disk full".to_owned()))
    }
}

#[test]
fn a_kept_contract_that_cannot_be_read_stops_the_start() {
    let kept = Record::from(empty().add(registration(contract("a.v1", NAME))).unwrap().contract.as_ref());
    let cut = Broken(Some(Record { image: kept.image.slice(..10), ..kept }));
    assert!(matches!(Registry::open(Arc::new(cut)).map(drop), Err(RegistryError::Damaged { .. })));
}

#[test]
fn what_cannot_be_kept_is_not_registered() {
    let registry = Registry::open(Arc::new(Broken(None))).unwrap();
    refused(registry.add(registration(contract("a.v1", NAME))), expect!["disk full"]);
    assert!(listed(&registry).is_empty());
}
