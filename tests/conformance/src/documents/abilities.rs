//! Laws about abilities: what is declared is done, what is not is refused; and about what is never told.

use bytes::Bytes;
use passerelle_adapter::{Context, Fault, Health, Messages, Rejection};
use passerelle_proto::backoffice::documents::v1::{Change, ChangeKind, Completeness, GetRequest, GetResponse, Search, Start};

use super::store::{Store, is, metadata, refused};

fn unimplemented<T: std::fmt::Debug>(outcome: Result<T, Fault>) {
    assert!(matches!(outcome, Err(Fault::Unimplemented { .. })), "what is not declared is refused, not {outcome:?}");
}

pub(super) async fn a_store_describes_itself(store: Store) {
    let described = store.describe().await;
    assert!(!described.driver.is_empty() && described.document_bytes_max > 0);
    assert_eq!(store.describe().await, described);
    assert_eq!(store.adapter().health().await, Health::Ready);
    let descriptor = store.adapter().descriptor();
    assert!(descriptor.contracts.iter().any(|contract| contract.name == "passerelle.backoffice.documents.v1"));
    let effects = descriptor.idempotent.iter().filter(|method| method.ends_with("/Store") || method.ends_with("/Delete"));
    assert_eq!(effects.count(), 0, "an effect is idempotent under a key only");
}

pub(super) async fn former_versions_are_kept_or_refused(store: Store) {
    let first = store.put("a", "one").await.expect("it is stored");
    let second = store.put("a", "two").await.expect("it is replaced");
    let get = GetRequest { reference: Some(store.reference("a")), version: first.version.clone() };
    let got = store.ask::<GetResponse>("Get", get, "").await;
    if !store.describe().await.versions {
        unimplemented(store.versions("a").await);
        unimplemented(store.read("a", &first.version).await);
        return unimplemented(got);
    }
    assert_eq!(store.versions("a").await, Ok(vec![second.clone(), first.clone()]));
    assert_eq!(got.expect("it is kept").document.as_ref(), Some(&first));
    for (document, content) in [(&first, b"one"), (&second, b"two")] {
        assert_eq!(store.read("a", &document.version).await, Ok((document.clone(), content.to_vec())));
    }
    refused(store.read("a", "none").await.map(drop), Rejection::NotFound);
    let other = store.put("b", "b").await.expect("it is stored");
    refused(store.read("a", &other.version).await.map(drop), Rejection::NotFound);
    store.delete("a", "", "").await.expect("it is removed");
    refused(store.versions("a").await, Rejection::NotFound);
    refused(store.read("a", &first.version).await.map(drop), Rejection::NotFound);
}

pub(super) async fn changes_are_told_as_declared_or_refused(store: Store) {
    let declared = store.describe().await.changes();
    if declared == Completeness::Unspecified {
        return unimplemented(store.changes("", 0).await);
    }
    let start = all_changes(&store, "").await.1;
    let one = store.put("a", "one").await.expect("it is stored").version;
    let two = store.put("a", "two").await.expect("it is replaced").version;
    let three = store.put("b", "three").await.expect("it is stored").version;
    store.delete("a", "", "").await.expect("it is removed");
    refused(store.delete("a", "", "").await, Rejection::NotFound);
    let (changes, end) = all_changes(&store, &start).await;
    let told: Vec<_> = changes.iter().map(|change| (name(change), change.kind(), change.version.clone())).collect();
    let mut expected = vec![("a", ChangeKind::Stored, one), ("a", ChangeKind::Stored, two), ("b", ChangeKind::Stored, three)];
    if declared == Completeness::Exact {
        expected.push(("a", ChangeKind::Deleted, String::new()));
    }
    assert_eq!(told, expected.into_iter().map(|(name, kind, version)| (name.to_owned(), kind, version)).collect::<Vec<_>>());
    assert_eq!(all_changes(&store, &end).await, (Vec::new(), end.clone()), "nothing since, and the cursor stays");
    let (again, same) = all_changes(&store, &start).await;
    assert_eq!((again, same), (changes, end), "the same cursor tells the same");
    refused(store.changes("not a cursor", 0).await, Rejection::Invalid);
    refused(store.changes("", 1001).await, Rejection::Invalid);
}

fn name(change: &Change) -> String {
    change.reference.clone().unwrap_or_default().name
}

/// The changes since `cursor`, page by page.
async fn all_changes(store: &Store, cursor: &str) -> (Vec<Change>, String) {
    let (mut all, mut cursor) = (Vec::new(), cursor.to_owned());
    loop {
        let (changes, next) = store.changes(&cursor, 2).await.expect("a page");
        cursor = next;
        if changes.is_empty() {
            return (all, cursor);
        }
        all.extend(changes);
    }
}

pub(super) async fn expectations_are_held_or_refused(store: Store) {
    use passerelle_proto::backoffice::documents::v1::start::Expect;
    let version = store.put("a", "one").await.expect("it is stored").version;
    let start = Start { expect: Some(Expect::Version(version)), ..store.start("a") };
    let outcome = store.store(start, "two", "").await;
    if store.describe().await.preconditions {
        drop(outcome.expect("it is as expected"))
    } else {
        unimplemented(outcome)
    }
    let empty = Start { expect: Some(Expect::Version(String::new())), ..store.start("a") };
    assert!(store.store(empty, "three", "").await.is_err(), "an empty version is not no version");
}

pub(super) async fn a_search_is_done_or_refused(store: Store) {
    let outcome = store.search(&[("a", "b")]).await;
    if store.describe().await.search() == Search::Unspecified { unimplemented(outcome) } else { assert_eq!(outcome, Ok(vec![])) }
}

pub(super) async fn a_method_that_is_none_is_refused(store: Store) {
    for method in ["Rename", "", "store"] {
        unimplemented(store.send(method, Messages::one(Bytes::new()), Context::default()).await);
    }
}

pub(super) async fn garbage_is_refused(store: Store) {
    for method in ["Describe", "Read", "Get", "List", "Search", "ListVersions", "Delete", "ListChanges", "Store"] {
        let garbage = Messages::one(Bytes::from_static(&[0x0a, 0xff, 0xff, 0x7f]));
        let fault = store.send(method, garbage, Context::default()).await.expect_err("garbage");
        assert!(is(&fault, Rejection::Invalid), "{method}: {fault:?}");
    }
}

pub(super) async fn no_fault_tells_what_a_document_holds(store: Store) {
    const HELD: &str = "Durand-4711";
    let name = format!("{HELD}.pdf");
    let start = || Start { metadata: metadata(&[("customer", HELD)]), ..store.start(&name) };
    let inner = Store { folder: format!("{}/{HELD}", store.folder), ..store.clone() };
    store.store(start(), HELD, HELD).await.expect("it is stored");
    let wrong = |metadata_value: &str, media_type: &str| Start {
        metadata: metadata(&[("customer", metadata_value)]),
        media_type: media_type.to_owned(),
        ..start()
    };
    let faults = [
        store.store(wrong(&format!("{HELD}\n"), ""), HELD, "").await.err(),
        store.store(wrong("x", HELD), HELD, "").await.err(),
        store.store(start(), "other", HELD).await.err(),
        store.store(Start { size_bytes: Some(1), ..start() }, HELD, "").await.err(),
        store.put(&format!("{HELD}/"), "x").await.err(),
        store.delete(&name, HELD, "").await.err(),
        store.delete(&format!("{HELD} none"), "", HELD).await.err(),
        store.read(&name, HELD).await.err(),
        inner.get(&name).await.err(),
        inner.page(0, HELD).await.err(),
        store.changes(HELD, 0).await.err(),
    ];
    for fault in faults.into_iter().flatten() {
        assert!(!format!("{fault} {fault:?}").contains("Durand"), "a fault tells: {fault}");
    }
}
