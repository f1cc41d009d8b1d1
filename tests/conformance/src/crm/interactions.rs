//! Laws about what was done with customers.

use passerelle_adapter::Rejection;
use passerelle_proto::backoffice::customers::v1::{Direction, Interaction, ListInteractionsRequest, ListInteractionsResponse};

use super::book::{Book, refused};

/// An interaction that says so.
pub(super) fn said(description: &str) -> Interaction {
    Interaction {
        direction: Direction::Inbound.into(),
        channel: "web".to_owned(),
        reason: "question".to_owned(),
        description: description.to_owned(),
        // As a caller would say it again.
        at: Some(prost_types::Timestamp { seconds: 1_795_000_000, nanos: 120_000_000 }),
        ..Interaction::default()
    }
}

pub(super) async fn what_was_noted_is_read_the_last_first(book: Book) {
    let customer = book.make("a").await.id;
    let mut noted = Vec::new();
    for text in ["wants a loan\n\nfor a car, « été » <b> \"q\" {\"json\": 1}", "", "\n\npasserelle {}"] {
        let interaction = Interaction { reason: format!("about {}", text.len()), ..said(text) };
        let id = book.add(&customer, interaction.clone(), "").await.expect("it is noted");
        noted.insert(0, Interaction { id, ..interaction });
    }
    let without_time = Interaction { at: None, direction: 0, reason: String::new(), ..said("now") };
    let id = book.add(&customer, without_time, "").await.expect("it is noted");
    let all = book.interactions(&customer).await.expect("a list");
    assert_eq!(all[1..], noted);
    assert!(all[0].id == id && all[0].description == "now" && all[0].at.is_some());
    let (mut pages, mut token) = (Vec::new(), String::new());
    for _ in 0..3 {
        let request = ListInteractionsRequest { customer_id: customer.clone(), page_size: 2, page_token: token };
        let page: ListInteractionsResponse = book.ask("ListInteractions", request, "").await.expect("a page");
        pages.extend(page.interactions);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, all, "the same in pages");
}

pub(super) async fn an_interaction_is_its_customers(book: Book) {
    let (a, b) = (book.make("a").await.id, book.make("b").await.id);
    book.add(&a, said("a"), "").await.expect("it is noted");
    assert_eq!(book.interactions(&b).await, Ok(Vec::new()));
    assert_eq!(book.interactions(&a).await.expect("a list").len(), 1);
    refused(book.add("999999999", said("nobody"), "").await, Rejection::NotFound);
}

pub(super) async fn an_interaction_changes_no_version(book: Book) {
    let customer = book.make("a").await;
    book.add(&customer.id, said("a"), &book.number("key")).await.expect("it is noted");
    assert_eq!(book.get(&customer.id).await, Ok(customer));
}

pub(super) async fn an_interaction_beyond_the_limits_is_refused(book: Book) {
    let customer = book.make("a").await.id;
    let bad = [
        Interaction { id: "mine".to_owned(), ..said("") },
        Interaction { channel: String::new(), ..said("") },
        Interaction { channel: "Web Site".to_owned(), ..said("") },
        Interaction { reason: "r".repeat(201), ..said("") },
        Interaction { reason: "a\nb".to_owned(), ..said("") },
        Interaction { direction: 9, ..said("") },
        Interaction { at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }), ..said("") },
        said(&"d".repeat(10_001)),
        said("a\0b"),
    ];
    for interaction in bad {
        refused(book.add(&customer, interaction, "").await, Rejection::Invalid);
    }
    assert_eq!(book.interactions(&customer).await, Ok(Vec::new()), "what is refused has no effect");
}
