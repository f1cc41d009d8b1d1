//! Laws about abilities: what is declared is done; and about what is never told.

use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_adapter::{Context, Fault, Health, Messages, Rejection};
use passerelle_proto::backoffice::customers::v1::{Change, ChangeKind, Completeness};

use super::book::{Book, is, refused, unimplemented};
use super::interactions::said;

/// How long a change may be in telling.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

pub(super) async fn a_crm_describes_itself(book: Book) {
    let described = book.describe().await;
    assert!(!described.driver.is_empty());
    assert_eq!(book.describe().await, described);
    assert_eq!(book.adapter.health().await, Health::Ready);
    let descriptor = book.adapter.descriptor();
    assert!(descriptor.contracts.iter().any(|contract| contract.name == "passerelle.backoffice.customers.v1"));
    let effects = ["/Create", "/Update", "/Delete", "/AddInteraction"];
    let effects = descriptor.idempotent.iter().filter(|method| effects.iter().any(|effect| method.ends_with(effect)));
    assert_eq!(effects.count(), 0, "an effect is idempotent under a key only");
}

pub(super) async fn changes_are_told_as_declared(book: Book) {
    let declared = book.describe().await.changes();
    if declared == Completeness::Unspecified {
        return unimplemented(book.changes("", 0).await);
    }
    let (_, start) = all(&book, "").await;
    let a = book.make("a").await;
    let b = book.make("b").await;
    let new = book.update(&a.id, "", book.details("c"), "").await.expect("it is changed");
    let mut expected = vec![(b.id.clone(), ChangeKind::Saved, b.version.clone()), (a.id.clone(), ChangeKind::Saved, new)];
    if declared == Completeness::Exact {
        book.delete(&b.id, "", "").await.expect("he is removed");
        expected.insert(0, (a.id.clone(), ChangeKind::Saved, a.version.clone()));
        expected.push((b.id.clone(), ChangeKind::Deleted, String::new()));
    }
    let told = |changes: &[Change]| -> Vec<_> {
        changes.iter().map(|change| (change.customer_id.clone(), change.kind(), change.version.clone())).collect()
    };
    // Others may have changed since `start`, and a state that is not the latest may be told where not every change is.
    let ours = |changes: Vec<Change>| -> Vec<_> {
        let ours = |found: &(String, ChangeKind, String)| found.0 == a.id || found.0 == b.id;
        let found = told(&changes).into_iter().filter(ours).collect::<Vec<_>>();
        match declared {
            Completeness::Exact => found,
            _ => found.into_iter().filter(|found| expected.contains(found)).collect(),
        }
    };
    let (until, mut cursor, mut found) = (Instant::now() + TOLD_WITHIN, start.clone(), Vec::new());
    let mut turn = tokio::time::interval(Duration::from_millis(200));
    while found.len() < expected.len() && Instant::now() < until {
        let (changes, next) = all(&book, &cursor).await;
        found.extend(ours(changes));
        cursor = next;
        turn.tick().await;
    }
    assert_eq!(found, expected);
    let (changes, end) = all(&book, &cursor).await;
    assert_eq!((ours(changes), &end), (Vec::new(), &cursor), "nothing since, and the cursor stays");
    let again = ours(all(&book, &start).await.0);
    assert_eq!(again, expected, "the same cursor tells it again");
    for cursor in ["not a cursor", "-", "-1", "1-x"] {
        refused(book.changes(cursor, 0).await, Rejection::Invalid);
    }
    refused(book.changes("", 1001).await, Rejection::Invalid);
}

/// The changes since `cursor`, page by page.
async fn all(book: &Book, cursor: &str) -> (Vec<Change>, String) {
    let (mut all, mut cursor) = (Vec::new(), cursor.to_owned());
    loop {
        let page = book.changes(&cursor, 100).await.expect("a page");
        cursor = page.cursor;
        if page.changes.is_empty() {
            return (all, cursor);
        }
        all.extend(page.changes);
    }
}

pub(super) async fn garbage_and_unknown_methods_are_refused(book: Book) {
    for method in ["Rename", "", "find"] {
        unimplemented(book.send(method, Messages::one(Bytes::new()), Context::default()).await);
    }
    let methods = ["Describe", "Find", "Get", "Create", "Update", "Delete", "AddInteraction", "ListInteractions", "ListChanges"];
    for method in methods {
        let garbage = Messages::one(Bytes::from_static(&[0x0a, 0xff, 0xff, 0x7f]));
        let fault = book.send(method, garbage, Context::default()).await.expect_err("garbage");
        assert!(is(&fault, Rejection::Invalid), "{method}: {fault:?}");
    }
}

pub(super) async fn a_deadline_that_has_passed_is_kept(book: Book) {
    let context = Context { deadline: Some(Instant::now()), ..Context::default() };
    let fault = book.send("Describe", Messages::one(Bytes::new()), context).await.expect_err("it is too late");
    assert!(matches!(fault, Fault::DeadlineExceeded { .. }), "{fault:?}");
}

pub(super) async fn no_fault_tells_who_a_customer_is(book: Book) {
    const HELD: &str = "Durand-4711";
    let customer = book.make(HELD).await;
    let mut bad = book.details(HELD);
    bad.contact_media[0].value = format!("{HELD}\n");
    let faults = [
        book.create(&customer.number, book.details(HELD), HELD).await.map(drop),
        book.create("", bad, "").await.map(drop),
        book.update(&customer.id, HELD, book.details(HELD), "").await.map(drop),
        book.get(HELD).await.map(drop),
        book.add(HELD, said(HELD), "").await.map(drop),
        book.add(&customer.id, said(&format!("{HELD}\0")), "").await.map(drop),
        book.changes(HELD, 0).await.map(drop),
    ];
    for outcome in faults {
        let fault = outcome.expect_err("it must be refused");
        assert!(!format!("{fault:?}").contains("Durand"), "{fault:?}");
    }
}
