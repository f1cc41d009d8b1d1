//! Laws about lists and searches: complete, in pages, in order.

use passerelle_adapter::Rejection;
use passerelle_proto::backoffice::documents::v1::{SearchRequest, SearchResponse, Start};

use super::store::{Store, metadata, names, refused};

pub(super) async fn pages_are_complete_and_in_order(store: Store) {
    let mut names: Vec<String> = (0..23).map(|number| format!("document {number}")).collect();
    for name in &names {
        store.put(name, "x").await.expect("it is stored");
    }
    names.sort_unstable();
    for size in [1, 5, 22, 23, 24, 1000] {
        let (mut all, mut pages, mut token) = (Vec::new(), 0, String::new());
        loop {
            let (page, next) = store.page(size, &token).await.expect("a page");
            assert!(page.len() <= size as usize && (next.is_empty() || page.len() == size as usize), "a page of {}", page.len());
            (all, pages, token) = ([all, page].concat(), pages + 1, next);
            assert!(pages <= names.len(), "pages without end");
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(all, names, "in pages of {size}");
        assert_eq!(pages, 23_usize.div_ceil(size as usize), "pages of {size}");
    }
}

pub(super) async fn pages_are_stable_while_others_come_and_go(store: Store) {
    for number in 10..20 {
        store.put(&number.to_string(), "x").await.expect("it is stored");
    }
    let (mut all, mut token) = store.page(3, "").await.expect("a page");
    let mut coming = 0;
    while !token.is_empty() {
        // One before the page, one that was listed already, one after it.
        store.put(&format!("0 {coming}"), "x").await.expect("it is stored");
        store.delete(&all[coming], "", "").await.expect("it is removed");
        store.put(&format!("2 {coming}"), "x").await.expect("it is stored");
        coming += 1;
        let (page, next) = store.page(3, &token).await.expect("a page");
        all.extend(page);
        token = next;
    }
    let first: Vec<_> = all.iter().filter(|name| !name.contains(' ')).cloned().collect();
    assert_eq!(first, (10..20).map(|number| number.to_string()).collect::<Vec<_>>(), "each exactly once");
    assert!(!all.iter().any(|name| name.starts_with("0 ")));
}

pub(super) async fn a_folder_that_is_not_there_has_no_documents(store: Store) {
    assert!(store.names().await.is_empty());
    let inner = Store { folder: format!("{}/none/at/all", store.folder), ..store };
    assert!(inner.names().await.is_empty());
    assert_eq!(inner.search(&[("a", "b")]).await, Ok(Vec::new()));
}

pub(super) async fn a_page_beyond_the_limits_is_refused(store: Store) {
    let fault = refused(store.page(1001, "").await, Rejection::Invalid);
    assert!(fault.to_string().contains("1000"), "the limit is not told: {fault}");
    for token in ["x", "ff", "../", "0"] {
        refused(store.page(0, token).await, Rejection::Invalid);
    }
}

/// What is asked, and what is found.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

pub(super) async fn a_search_gives_what_has_all_that_is_asked(store: Store) {
    let known: [(&str, &[(&str, &str)]); 4] = [
        ("a", &[("customer", "4711"), ("sort", "contract")]),
        ("b", &[("customer", "4711"), ("sort", "letter & <é>")]),
        ("c", &[("customer", "4712"), ("sort", "contract")]),
        ("d", &[]),
    ];
    for (name, entries) in known {
        let start = Start { metadata: metadata(entries), ..store.start(name) };
        store.store(start, "x", "").await.expect("it is stored");
    }
    let cases: [Case<'_>; 6] = [
        (&[("customer", "4711")], &["a", "b"]),
        (&[("customer", "4711"), ("sort", "contract")], &["a"]),
        (&[("sort", "letter & <é>")], &["b"]),
        (&[("customer", "471")], &[]),
        (&[("customer", "' OR 1=1 --")], &[]),
        (&[("other", "")], &[]),
    ];
    for (asked, expected) in cases {
        assert_eq!(store.search(asked).await.expect("it is searched"), expected, "{asked:?}");
    }
}

pub(super) async fn a_search_comes_in_pages(store: Store) {
    for number in 0..9 {
        let sort = if number % 2 == 0 { "even" } else { "odd" };
        let start = Start { metadata: metadata(&[("sort", sort)]), ..store.start(&number.to_string()) };
        store.store(start, "x", "").await.expect("it is stored");
    }
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let folder = store.folder.clone();
        let request = SearchRequest { folder, metadata: metadata(&[("sort", "even")]), page_size: 2, page_token };
        let answer: SearchResponse = store.ask("Search", request, "").await.expect("a page");
        all.extend(names(answer.documents));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(all, ["0", "2", "4", "6", "8"]);
}

pub(super) async fn a_search_finds_what_is_known_now(store: Store) {
    for (sort, found) in [("old", ["a"]), ("new", ["a"])] {
        let start = Start { metadata: metadata(&[("sort", sort)]), ..store.start("a") };
        store.store(start, "x", "").await.expect("it is stored");
        assert_eq!(store.search(&[("sort", sort)]).await.expect("it is searched"), found);
    }
    assert!(store.search(&[("sort", "old")]).await.expect("it is searched").is_empty());
    store.delete("a", "", "").await.expect("it is removed");
    assert!(store.search(&[("sort", "new")]).await.expect("it is searched").is_empty());
}

pub(super) async fn a_search_for_nothing_is_refused(store: Store) {
    refused(store.search(&[]).await, Rejection::Invalid);
    refused(store.search(&[("Not A Key", "x")]).await, Rejection::Invalid);
}
