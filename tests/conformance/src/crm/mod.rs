//! The laws of CRMs: what every driver of `passerelle.backoffice.customers.v1` must do. Each is a function that panics where it is broken;
//! [`LAWS`] lists them.

#![allow(clippy::panic, clippy::expect_used, reason = "a law that is broken panics")]

mod abilities;
mod book;
mod effects;
mod finding;
mod interactions;
mod keys;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::Adapter;

pub use book::Book;

/// A law that takes longer is broken: it waits for what never comes.
const LONGEST: Duration = Duration::from_secs(120);

/// A law under way.
pub type Holding = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One law, named by what holds.
pub type Law = (&'static str, fn(Book) -> Holding);

/// All of them. Each has customers of its own.
pub const LAWS: [Law; 31] = [
    ("what was made is read as it was said", |book| Box::pin(effects::what_was_made_is_read_as_it_was_said(book))),
    ("a customer without number is given one", |book| Box::pin(effects::a_customer_without_number_is_given_one(book))),
    ("a number is one customer's", |book| Box::pin(effects::a_number_is_one_customers(book))),
    ("an update replaces everything and nothing else", |book| {
        Box::pin(effects::an_update_replaces_everything_and_nothing_else(book))
    }),
    ("every change gives another version", |book| Box::pin(effects::every_change_gives_another_version(book))),
    ("reading changes no version", |book| Box::pin(effects::reading_changes_no_version(book))),
    ("an old version is refused as a conflict", |book| Box::pin(effects::an_old_version_is_refused_as_a_conflict(book))),
    ("of many who expect the same version one wins", |book| {
        Box::pin(effects::of_many_who_expect_the_same_version_one_wins(book))
    }),
    ("who is not there is not found", |book| Box::pin(effects::who_is_not_there_is_not_found(book))),
    ("who is removed is gone, or removal is refused", |book| {
        Box::pin(effects::who_is_removed_is_gone_or_removal_is_refused(book))
    }),
    ("details beyond the limits are refused", |book| Box::pin(effects::details_beyond_the_limits_are_refused(book))),
    ("the same key gives the same answer and one effect", |book| {
        Box::pin(keys::the_same_key_gives_the_same_answer_and_one_effect(book))
    }),
    ("a repetition does not undo what came after", |book| Box::pin(keys::a_repetition_does_not_undo_what_came_after(book))),
    ("a key is for one thing only", |book| Box::pin(keys::a_key_is_for_one_thing_only(book))),
    ("one key twice at the same time has one effect", |book| Box::pin(keys::one_key_twice_at_the_same_time_has_one_effect(book))),
    ("what became of a key can be looked up", |book| Box::pin(keys::what_became_of_a_key_can_be_looked_up(book))),
    ("a key that was refused can be used again", |book| Box::pin(keys::a_key_that_was_refused_can_be_used_again(book))),
    ("a customer is found by any key", |book| Box::pin(finding::a_customer_is_found_by_any_key(book))),
    ("a telephone number is found however it is spaced", |book| {
        Box::pin(finding::a_telephone_number_is_found_however_it_is_spaced(book))
    }),
    ("an address is found in capitals or not", |book| Box::pin(finding::an_address_is_found_in_capitals_or_not(book))),
    ("signs of patterns are letters like others", |book| Box::pin(finding::signs_of_patterns_are_letters_like_others(book))),
    ("a customer is found by what is known now", |book| Box::pin(finding::a_customer_is_found_by_what_is_known_now(book))),
    ("pages are complete and in order", |book| Box::pin(finding::pages_are_complete_and_in_order(book))),
    ("a search for nothing is refused", |book| Box::pin(finding::a_search_for_nothing_is_refused(book))),
    ("what was noted is read, the last first", |book| Box::pin(interactions::what_was_noted_is_read_the_last_first(book))),
    ("an interaction is its customer's", |book| Box::pin(interactions::an_interaction_is_its_customers(book))),
    ("an interaction changes no version", |book| Box::pin(interactions::an_interaction_changes_no_version(book))),
    ("an interaction beyond the limits is refused", |book| {
        Box::pin(interactions::an_interaction_beyond_the_limits_is_refused(book))
    }),
    ("a CRM describes itself", |book| Box::pin(abilities::a_crm_describes_itself(book))),
    ("changes are told as declared", |book| Box::pin(abilities::changes_are_told_as_declared(book))),
    ("garbage is refused, deadlines are kept, nothing is told", |book| {
        Box::pin(async {
            abilities::garbage_and_unknown_methods_are_refused(book.clone()).await;
            abilities::a_deadline_that_has_passed_is_kept(book.clone()).await;
            abilities::no_fault_tells_who_a_customer_is(book).await;
        })
    }),
];

/// Runs the laws, and gives those that are broken. Needs a tokio runtime.
pub async fn broken(adapter: &Arc<dyn Adapter>, laws: &[Law]) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for (name, law) in laws {
        let book = Book::new(adapter.clone(), format!("{:016x}", fastrand::u64(..)));
        let held = tokio::spawn(tokio::time::timeout(LONGEST, law(book))).await;
        if !matches!(held, Ok(Ok(()))) {
            broken.push(*name);
        }
    }
    broken
}

/// Runs all laws on a CRM; fails with the names of those that are broken. Needs a tokio runtime.
pub async fn hold(adapter: &Arc<dyn Adapter>) {
    let broken = broken(adapter, &LAWS).await;
    assert!(broken.is_empty(), "{} of {} laws are broken: {}", broken.len(), LAWS.len(), broken.join("; "));
}
