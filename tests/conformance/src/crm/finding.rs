//! Laws about finding customers.

use passerelle_adapter::Rejection;
use passerelle_proto::backoffice::customers::v1::find_request::Key;
use passerelle_proto::backoffice::customers::v1::{
    ContactKind, ContactMedium, Details, ExternalReference, FindRequest, FindResponse,
};

use super::book::{Book, digits, refused};

fn reference(book: &Book, name: &str) -> Key {
    Key::ExternalReference(book.details(name).external_references[0].clone())
}

pub(super) async fn a_customer_is_found_by_any_key(book: Book) {
    let (a, b) = (book.make("a").await, book.make("b").await);
    for (customer, name) in [(&a, "a"), (&b, "b")] {
        let phone = format!("+33 6 {}", digits(&book.word, name));
        let keys = [
            Key::Number(customer.number.clone()),
            Key::Email(book.email(name)),
            Key::Phone(phone),
            Key::Name(format!("{name} {}", book.word)),
            reference(&book, name),
        ];
        for key in keys {
            let found = book.page(key.clone(), 0, "").await.expect("a page");
            assert_eq!((found.customers, found.next_page_token.as_str()), (vec![customer.clone()], ""), "{key:?}");
        }
    }
    assert_eq!(book.find(Key::Name(book.word.clone())).await.len(), 2);
    let nobody = [
        Key::Number(book.number("c")),
        Key::Email(format!("x{}", book.email("a"))),
        Key::Phone(format!("+33 6 {}0", digits(&book.word, "a"))),
        Key::Name(format!("c {}", book.word)),
        Key::ExternalReference(ExternalReference { system: "billing".to_owned(), id: format!("{}/a", book.word) }),
    ];
    for key in nobody {
        assert!(book.find(key.clone()).await.is_empty(), "{key:?}");
    }
}

pub(super) async fn a_telephone_number_is_found_however_it_is_spaced(book: Book) {
    let customer = book.make("a").await;
    let digits = digits(&book.word, "a");
    let spaced: Vec<String> = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect();
    for phone in [format!("+336{digits}"), format!("+33 (6) {}", spaced.join("-")), format!("+33.6.{}", spaced.join("."))] {
        assert_eq!(book.find(Key::Phone(phone)).await, std::slice::from_ref(&customer.id));
    }
    assert!(book.find(Key::Phone(format!("336{digits}"))).await.is_empty(), "a number without `+` is another");
}

pub(super) async fn an_address_is_found_in_capitals_or_not(book: Book) {
    let customer = book.make("Anna").await;
    for email in [book.email("Anna").to_uppercase(), book.email("Anna").to_lowercase()] {
        assert_eq!(book.find(Key::Email(email)).await, std::slice::from_ref(&customer.id));
    }
    assert_eq!(book.find(Key::Name(format!("ANNA {}", book.word))).await, [customer.id]);
}

pub(super) async fn signs_of_patterns_are_letters_like_others(book: Book) {
    book.make("abc").await;
    for name in ["a%c", "a_c", "%", "_bc"] {
        assert!(book.find(Key::Name(format!("{name} {}", book.word))).await.is_empty(), "{name}");
    }
    assert!(book.find(Key::Email(book.email("a_c"))).await.is_empty());
    assert!(book.find(Key::Email(format!("%{}%", book.word))).await.is_empty());
    let customer = book.make("a%_c").await;
    assert_eq!(book.find(Key::Name(format!("a%_c {}", book.word))).await, std::slice::from_ref(&customer.id));
    assert_eq!(book.find(Key::Email(book.email("a%_c"))).await, [customer.id]);
}

pub(super) async fn a_customer_is_found_by_what_is_known_now(book: Book) {
    let customer = book.make("a").await;
    book.update(&customer.id, "", book.details("b"), "").await.expect("it is changed");
    for key in [Key::Email(book.email("a")), Key::Name(format!("a {}", book.word)), reference(&book, "a")] {
        assert!(book.find(key.clone()).await.is_empty(), "{key:?} was before");
    }
    for key in [Key::Email(book.email("b")), Key::Name(format!("b {}", book.word)), reference(&book, "b")] {
        assert_eq!(book.find(key).await, std::slice::from_ref(&customer.id));
    }
    // Two media with the same number are one customer.
    let phone = |kind: ContactKind, value: &str| ContactMedium {
        kind: kind.into(),
        value: format!("{value}{}", digits(&book.word, "x")),
    };
    let twice =
        Details { contact_media: vec![phone(ContactKind::Phone, "+1"), phone(ContactKind::Mobile, "+1 ")], ..book.details("c") };
    book.update(&customer.id, "", twice, "").await.expect("it is changed");
    assert_eq!(book.find(Key::Phone(format!("+1{}", digits(&book.word, "x")))).await, [customer.id]);
}

pub(super) async fn pages_are_complete_and_in_order(book: Book) {
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(book.make(&format!("n{number}")).await.id);
    }
    let (mut all, mut token) = (Vec::new(), String::new());
    for _ in 0..4 {
        let page = book.page(Key::Name(book.word.clone()), 3, &token).await.expect("a page");
        assert!(page.customers.len() <= 3);
        all.extend(page.customers.into_iter().map(|customer| customer.id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert!(token.is_empty(), "pages end");
    let whole = book.find(Key::Name(book.word.clone())).await;
    assert_eq!(all, whole, "the same in pages");
    all.sort();
    made.sort();
    assert_eq!(all, made);
    let key = || Key::Name(book.word.clone());
    refused(book.page(key(), 1001, "").await, Rejection::Invalid);
    refused(book.page(key(), 0, "no token").await, Rejection::Invalid);
}

pub(super) async fn a_search_for_nothing_is_refused(book: Book) {
    refused(book.ask::<FindResponse>("Find", FindRequest::default(), "").await, Rejection::Invalid);
    let empty = |system: &str, id: &str| Key::ExternalReference(ExternalReference { system: system.into(), id: id.into() });
    let bad = [
        Key::Number(String::new()),
        Key::Email(String::new()),
        Key::Phone("none".to_owned()),
        Key::Name("x".to_owned()),
        empty("", "1"),
        empty("erp", ""),
    ];
    for key in bad {
        refused(book.page(key, 0, "").await, Rejection::Invalid);
    }
}
