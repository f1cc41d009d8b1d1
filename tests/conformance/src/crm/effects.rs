//! Laws about customers: made, read, changed as expected or not at all, removed.

use passerelle_adapter::{Fault, Rejection};
use passerelle_proto::backoffice::customers::v1::find_request::Key;
use passerelle_proto::backoffice::customers::v1::{ContactKind, ContactMedium, Details, ExternalReference};
use tokio::task::JoinSet;

use super::book::{Book, is, refused, sorted, unimplemented};

pub(super) async fn what_was_made_is_read_as_it_was_said(book: Book) {
    let kinds = [
        (ContactKind::Phone, "+33 1 23 45 67 89"),
        (ContactKind::Mobile, "06.12"),
        (ContactKind::Email, "Jean+Éva_%@mail.example"),
        (ContactKind::Fax, "0123"),
        (ContactKind::Website, "https://a.example/?b=c&d"),
        (ContactKind::Other, "third floor, \"left\""),
    ];
    let details = Details {
        name: format!("Société d'Études <Żółć> 東京 % {}", book.word),
        contact_media: kinds.map(|(kind, value)| ContactMedium { kind: kind.into(), value: value.to_owned() }).to_vec(),
        external_references: ["a:b", "4711", "é ü"].map(|id| ExternalReference { system: "erp".into(), id: id.into() }).to_vec(),
    };
    let number = book.number("é 1");
    let made = book.create(&number, details.clone(), "").await.expect("he is made");
    let read = book.get(&made.id).await.expect("he is there");
    assert_eq!((&read.id, &read.version, &read.number, read.active), (&made.id, &made.version, &number, true));
    assert!(read.changed_at.is_some());
    let mut said = read.clone();
    said.details = Some(details);
    assert_eq!(sorted(&read), sorted(&said));
    assert_eq!(book.get(&made.id).await, Ok(read));
}

pub(super) async fn a_customer_without_number_is_given_one(book: Book) {
    let mut numbers = Vec::new();
    for name in ["a", "b"] {
        let made = book.create("", book.details(name), "").await.expect("he is made");
        numbers.push(book.get(&made.id).await.expect("he is there").number);
    }
    assert!(!numbers[0].is_empty() && !numbers[1].is_empty() && numbers[0] != numbers[1]);
}

pub(super) async fn a_number_is_one_customers(book: Book) {
    let first = book.make("a").await;
    refused(book.create(&first.number, book.details("b"), "").await, Rejection::Conflict);
    assert_eq!(book.find(Key::Number(first.number.clone())).await, [first.id]);
    assert!(book.find(Key::Email(book.email("b"))).await.is_empty(), "who was refused is there");
}

pub(super) async fn an_update_replaces_everything_and_nothing_else(book: Book) {
    let (first, other) = (book.make("a").await, book.make("other").await);
    let mut details = book.details("b");
    // One stays, one goes, one comes.
    details.contact_media[1] = sorted(&first).contact_media[0].clone();
    details.external_references.push(sorted(&first).external_references[0].clone());
    let version = book.update(&first.id, "", details.clone(), "").await.expect("it is changed");
    let read = book.get(&first.id).await.expect("he is there");
    let mut said = read.clone();
    said.details = Some(details);
    assert_eq!(sorted(&read), sorted(&said));
    assert_eq!((&read.number, &read.version), (&first.number, &version));
    assert_eq!(book.get(&other.id).await, Ok(other));
    let bare = Details { name: "bare".to_owned(), ..Details::default() };
    book.update(&first.id, "", bare.clone(), "").await.expect("it is changed");
    assert_eq!(book.get(&first.id).await.expect("he is there").details, Some(bare), "what is left out is removed");
}

pub(super) async fn every_change_gives_another_version(book: Book) {
    let customer = book.make("a").await;
    let mut seen = vec![customer.version];
    for _ in 0..4 {
        // The same, within the same second.
        let version = book.update(&customer.id, "", book.details("a"), "").await.expect("it is changed");
        assert_eq!(book.get(&customer.id).await.expect("he is there").version, version);
        assert!(!seen.contains(&version), "a version came twice");
        seen.push(version);
    }
}

pub(super) async fn reading_changes_no_version(book: Book) {
    let customer = book.make("a").await;
    assert_eq!(book.find(Key::Number(customer.number.clone())).await.len(), 1);
    book.interactions(&customer.id).await.expect("a list");
    assert_eq!(book.get(&customer.id).await, Ok(customer));
}

pub(super) async fn an_old_version_is_refused_as_a_conflict(book: Book) {
    let old = book.make("a").await;
    if !book.describe().await.preconditions {
        return unimplemented(book.update(&old.id, &old.version, book.details("b"), "").await);
    }
    let new = book.update(&old.id, &old.version, book.details("b"), "").await.expect("it is as expected");
    refused(book.update(&old.id, &old.version, book.details("c"), "").await, Rejection::Conflict);
    refused(book.update(&old.id, "none", book.details("c"), "").await, Rejection::Conflict);
    let read = book.get(&old.id).await.expect("he is there");
    assert_eq!((read.version.clone(), sorted(&read).name), (new.clone(), book.details("b").name));
    book.update(&old.id, &new, book.details("c"), "").await.expect("it is as expected");
}

pub(super) async fn of_many_who_expect_the_same_version_one_wins(book: Book) {
    let customer = book.make("a").await;
    if !book.describe().await.preconditions {
        return unimplemented(book.update(&customer.id, &customer.version, book.details("b"), "").await);
    }
    let mut writers = JoinSet::new();
    for number in 0..6 {
        let (book, customer) = (book.clone(), customer.clone());
        writers.spawn(async move {
            let name = format!("writer{number}");
            book.update(&customer.id, &customer.version, book.details(&name), "").await.map(|_| name)
        });
    }
    let outcomes = writers.join_all().await;
    for fault in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let no_effect = is(fault, Rejection::Conflict) || matches!(fault, Fault::Unavailable { .. });
        assert!(no_effect, "who did not win is told that nothing happened: {fault:?}");
    }
    let won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(won.len(), 1, "one wins");
    assert_eq!(sorted(&book.get(&customer.id).await.expect("he is there")).name, book.details(won[0]).name);
}

pub(super) async fn who_is_not_there_is_not_found(book: Book) {
    for id in ["999999999", "0", "-1", "x", "01", "99999999999999999999"] {
        refused(book.get(id).await, Rejection::NotFound);
        refused(book.update(id, "", book.details("a"), "").await, Rejection::NotFound);
        refused(book.interactions(id).await, Rejection::NotFound);
    }
    refused(book.get("").await, Rejection::Invalid);
}

pub(super) async fn who_is_removed_is_gone_or_removal_is_refused(book: Book) {
    let (customer, other) = (book.make("a").await, book.make("b").await);
    let key = &book.number("key");
    if !book.describe().await.deletes {
        unimplemented(book.delete(&customer.id, "", "").await);
        assert_eq!(book.get(&customer.id).await, Ok(customer));
        return;
    }
    let version = book.update(&customer.id, "", book.details("a"), "").await.expect("it is changed");
    refused(book.delete(&customer.id, &customer.version, "").await, Rejection::Conflict);
    book.delete(&customer.id, &version, key).await.expect("it is as expected");
    book.delete(&customer.id, &version, key).await.expect("the same key, the same answer");
    refused(book.get(&customer.id).await, Rejection::NotFound);
    refused(book.delete(&customer.id, "", "").await, Rejection::NotFound);
    refused(book.interactions(&customer.id).await, Rejection::NotFound);
    assert!(book.find(Key::Email(book.email("a"))).await.is_empty() && book.find(Key::Number(customer.number)).await.is_empty());
    assert_eq!(book.get(&other.id).await, Ok(other));
}

pub(super) async fn details_beyond_the_limits_are_refused(book: Book) {
    let with = |edit: &dyn Fn(&mut Details)| {
        let mut details = book.details("a");
        edit(&mut details);
        details
    };
    let bad = [
        with(&|details| details.name.clear()),
        with(&|details| details.name = "n".repeat(201)),
        with(&|details| details.name = "a\nb".to_owned()),
        with(&|details| details.contact_media[0].kind = 0),
        with(&|details| details.contact_media[0].kind = 99),
        with(&|details| details.contact_media[0].value.clear()),
        with(&|details| details.contact_media.push(details.contact_media[0].clone())),
        with(&|details| details.external_references[0].system = "Not A Word".to_owned()),
        with(&|details| details.external_references[0].system = "passerelle".to_owned()),
        with(&|details| details.external_references[0].id.clear()),
    ];
    for details in bad {
        refused(book.create("", details, "").await, Rejection::Invalid);
    }
    refused(book.create(&"1".repeat(65), book.details("a"), "").await, Rejection::Invalid);
    assert!(book.find(Key::Name(book.word.clone())).await.is_empty(), "what is refused has no effect");
}
