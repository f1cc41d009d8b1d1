//! The laws of stores of documents: what every driver of `passerelle.backoffice.documents.v1` must do. Each is a function that panics where
//! it is broken; [`LAWS`] lists them.

#![allow(clippy::panic, clippy::expect_used, reason = "a law that is broken panics")]

mod abilities;
mod breaking;
mod contents;
mod effects;
mod lists;
mod names;
mod store;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::Adapter;

pub use store::Store;

/// A law that takes longer is broken: it waits for what never comes.
const LONGEST: Duration = Duration::from_secs(120);

/// A law under way.
pub type Holding = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One law, named by what holds.
pub type Law = (&'static str, fn(Store) -> Holding);

/// All of them. Each works in a folder of its own.
pub const LAWS: [Law; 48] = [
    ("what was stored is read byte by byte", |store| Box::pin(contents::what_was_stored_is_read_byte_by_byte(store))),
    ("twenty mebibytes pass as a stream", |store| Box::pin(contents::twenty_mebibytes_pass_as_a_stream(store))),
    ("a content comes in chunks of at most 64 KiB", |store| {
        Box::pin(contents::a_content_comes_in_chunks_of_at_most_64_kib(store))
    }),
    ("what is announced is held against what comes", |store| {
        Box::pin(contents::what_is_announced_is_held_against_what_comes(store))
    }),
    ("what is too large is refused with the limit", |store| {
        Box::pin(contents::what_is_too_large_is_refused_with_the_limit(store))
    }),
    ("messages out of order are refused", |store| Box::pin(contents::messages_out_of_order_are_refused(store))),
    ("what is known is kept as it was said", |store| {
        Box::pin(contents::what_is_known_of_a_document_is_kept_as_it_was_said(store))
    }),
    ("a new version has only what was said of it", |store| Box::pin(contents::a_new_version_has_only_what_was_said_of_it(store))),
    ("metadata beyond the limits are refused", |store| Box::pin(contents::metadata_beyond_the_limits_are_refused(store))),
    ("names are kept letter by letter", |store| Box::pin(names::names_are_kept_letter_by_letter(store))),
    ("a name that is none is refused by every method", |store| {
        Box::pin(names::a_name_that_is_none_is_refused_by_every_method(store))
    }),
    ("a folder that is none is refused", |store| Box::pin(names::a_folder_that_is_none_is_refused(store))),
    ("the same name in another folder is another document", |store| {
        Box::pin(names::the_same_name_in_another_folder_is_another_document(store))
    }),
    ("a request without a reference is refused", |store| Box::pin(names::a_request_without_a_reference_is_refused(store))),
    ("a document that must be new does not replace another", |store| {
        Box::pin(effects::a_document_that_must_be_new_does_not_replace_another(store))
    }),
    ("an old version is refused as a conflict", |store| Box::pin(effects::an_old_version_is_refused_as_a_conflict(store))),
    ("every storing gives another version", |store| Box::pin(effects::every_storing_gives_another_version(store))),
    ("of many who expect the same version one wins", |store| {
        Box::pin(effects::of_many_who_expect_the_same_version_one_wins(store))
    }),
    ("of many who make the same document one wins", |store| {
        Box::pin(effects::of_many_who_make_the_same_document_one_wins(store))
    }),
    ("what is removed is not found", |store| Box::pin(effects::what_is_removed_is_not_found(store))),
    ("the same key gives the same answer and one effect", |store| {
        Box::pin(effects::the_same_key_gives_the_same_answer_and_one_effect(store))
    }),
    ("a repetition does not undo what came after", |store| Box::pin(effects::a_repetition_does_not_undo_what_came_after(store))),
    ("a key is for one thing only", |store| Box::pin(effects::a_key_is_for_one_thing_only(store))),
    ("one key twice at the same time has one effect", |store| {
        Box::pin(effects::one_key_twice_at_the_same_time_has_one_effect(store))
    }),
    ("what became of a key can be looked up", |store| Box::pin(effects::what_became_of_a_key_can_be_looked_up(store))),
    ("a key that was refused can be used again", |store| Box::pin(effects::a_key_that_was_refused_can_be_used_again(store))),
    ("a content that breaks off leaves nothing", |store| Box::pin(breaking::a_content_that_breaks_off_leaves_nothing(store))),
    ("a caller who leaves leaves nothing", |store| Box::pin(breaking::a_caller_who_leaves_leaves_nothing(store))),
    ("a deadline within a storing leaves nothing", |store| Box::pin(breaking::a_deadline_within_a_storing_leaves_nothing(store))),
    ("a deadline that has passed is kept", |store| Box::pin(breaking::a_deadline_that_has_passed_is_kept(store))),
    ("a deadline within a reading ends it", |store| Box::pin(breaking::a_deadline_within_a_reading_ends_it(store))),
    ("a reader who leaves harms nobody", |store| Box::pin(breaking::a_reader_who_leaves_harms_nobody(store))),
    ("a reader never sees two versions in one", |store| Box::pin(breaking::a_reader_never_sees_two_versions_in_one(store))),
    ("an open reading goes on or says that it cannot", |store| {
        Box::pin(breaking::an_open_reading_goes_on_or_says_that_it_cannot(store))
    }),
    ("pages are complete and in order", |store| Box::pin(lists::pages_are_complete_and_in_order(store))),
    ("pages are stable while others come and go", |store| Box::pin(lists::pages_are_stable_while_others_come_and_go(store))),
    ("a folder that is not there has no documents", |store| Box::pin(lists::a_folder_that_is_not_there_has_no_documents(store))),
    ("a page beyond the limits is refused", |store| Box::pin(lists::a_page_beyond_the_limits_is_refused(store))),
    ("a search gives what has all that is asked", |store| Box::pin(lists::a_search_gives_what_has_all_that_is_asked(store))),
    ("a search comes in pages", |store| Box::pin(lists::a_search_comes_in_pages(store))),
    ("a search finds what is known now", |store| Box::pin(lists::a_search_finds_what_is_known_now(store))),
    ("a search for nothing is refused", |store| Box::pin(lists::a_search_for_nothing_is_refused(store))),
    ("a store describes itself", |store| Box::pin(abilities::a_store_describes_itself(store))),
    ("former versions are kept or refused", |store| Box::pin(abilities::former_versions_are_kept_or_refused(store))),
    ("changes are told as declared or refused", |store| Box::pin(abilities::changes_are_told_as_declared_or_refused(store))),
    ("expectations are held or refused", |store| Box::pin(abilities::expectations_are_held_or_refused(store))),
    ("garbage and unknown methods are refused", |store| {
        Box::pin(async {
            abilities::a_method_that_is_none_is_refused(store.clone()).await;
            abilities::a_search_is_done_or_refused(store.clone()).await;
            abilities::garbage_is_refused(store).await;
        })
    }),
    ("no fault tells what a document holds", |store| Box::pin(abilities::no_fault_tells_what_a_document_holds(store))),
];

/// Runs the laws, and gives those that are broken. Needs a tokio runtime.
pub async fn broken(adapter: &Arc<dyn Adapter>, laws: &[Law]) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for (number, (name, law)) in laws.iter().enumerate() {
        let store = Store::new(adapter.clone(), format!("law {number} {}", fastrand::u64(..)));
        let held = tokio::spawn(tokio::time::timeout(LONGEST, law(store))).await;
        if !matches!(held, Ok(Ok(()))) {
            broken.push(*name);
        }
    }
    broken
}

/// Runs all laws on a store of documents; fails with the names of those that are broken. Needs a tokio runtime.
pub async fn hold(adapter: &Arc<dyn Adapter>) {
    let broken = broken(adapter, &LAWS).await;
    assert!(broken.is_empty(), "{} of {} laws are broken: {}", broken.len(), LAWS.len(), broken.join("; "));
}
