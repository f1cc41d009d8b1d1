//! Laws about names: any that a person would write, and none that leads elsewhere.

use passerelle_adapter::Rejection;
use passerelle_proto::backoffice::documents::v1::{ListRequest, ListResponse, Reference, Start};

use super::store::{Store, refused};

pub(super) async fn names_are_kept_letter_by_letter(store: Store) {
    let longest = "x".repeat(180);
    let mut names = vec![
        "a b",
        "Contrat été 2026.pdf",
        "e\u{301}",
        "\u{e9}",
        "東京",
        "🦀",
        "%41",
        "a%2Fb",
        "a+b&c=d",
        "a?b",
        "a#b",
        "a;b",
        "a:b",
        "~a",
        "..a",
        "a..",
        "-a",
        "a'b\"c",
        "<a>",
        "{a}",
        "[a]",
        "A B",
        longest.as_str(),
    ];
    let refused_characters = store.describe().await.refused_characters;
    let misunderstood = |name: &&str| name.contains(|c| refused_characters.contains(c));
    for name in names.extract_if(.., |name| misunderstood(name)) {
        refused(store.put(name, "x").await, Rejection::Invalid);
    }
    assert!(names.len() > 15 && store.names().await.is_empty());
    for name in &names {
        store.put(name, name.to_string()).await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    for name in &names {
        assert_eq!(String::from_utf8_lossy(&store.content(name).await), *name);
    }
    names.sort_unstable();
    assert_eq!(store.names().await, names);
    for name in &names {
        store.delete(name, "", "").await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    assert!(store.names().await.is_empty());
}

pub(super) async fn a_name_that_is_none_is_refused_by_every_method(store: Store) {
    let too_long = "x".repeat(181);
    let names =
        ["", ".", "..", "../a", "a/../b", "a/b", "/a", "a\\b", "a\nb", "a\0b", "\u{7f}", " a", "a ", ".passerelle", &too_long];
    for name in names {
        let faults = [
            refused(store.put(name, "x").await.map(drop), Rejection::Invalid),
            refused(store.read(name, "").await.map(drop), Rejection::Invalid),
            refused(store.get(name).await.map(drop), Rejection::Invalid),
            refused(store.delete(name, "", "").await, Rejection::Invalid),
        ];
        let told = |name: &str| name.len() > 3 && faults.iter().any(|fault| fault.to_string().contains(name));
        assert!(name.starts_with(".passerelle") || !told(name), "a fault repeats the name");
    }
    let fault = refused(store.put(&too_long, "x").await, Rejection::Invalid);
    assert!(fault.to_string().contains("180"), "the limit is not told: {fault}");
    assert!(store.names().await.is_empty());
}

pub(super) async fn a_folder_that_is_none_is_refused(store: Store) {
    let inner = |folder: &str| format!("{}/{folder}", store.folder);
    let deep = inner("1/2/3/4/5/6/7/8/9");
    let folders = ["/", "../x", &inner(".."), &inner("../.."), &inner("a//b"), &inner("a/"), ".passerelle", &inner("\n"), &deep];
    for folder in folders {
        let reference = Some(Reference { folder: folder.to_owned(), name: "a".to_owned() });
        let stored = store.store(Start { reference, ..Start::default() }, "x", "").await;
        refused(stored, Rejection::Invalid);
        let request = ListRequest { folder: folder.to_owned(), ..ListRequest::default() };
        refused(store.ask::<ListResponse>("List", request, "").await, Rejection::Invalid);
    }
}

pub(super) async fn the_same_name_in_another_folder_is_another_document(store: Store) {
    let inner = Store { folder: format!("{}/dossier é/n° 1", store.folder), ..store.clone() };
    store.put("a", "outer").await.expect("it is stored");
    inner.put("a", "inner").await.expect("folders are made as they are needed");
    assert_eq!((store.content("a").await, inner.content("a").await), (b"outer".to_vec(), b"inner".to_vec()));
    assert_eq!(
        (store.names().await, inner.names().await),
        (vec!["a".to_owned()], vec!["a".to_owned()]),
        "folders are not documents"
    );
    store.delete("a", "", "").await.expect("it is removed");
    assert_eq!(inner.content("a").await, b"inner");
}

pub(super) async fn a_request_without_a_reference_is_refused(store: Store) {
    let start = Start { reference: None, ..store.start("a") };
    refused(store.store(start, "x", "").await, Rejection::Invalid);
}
