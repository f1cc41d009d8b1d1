//! One effect at a time for each place on the server, as far as this adapter goes.
//!
//! Locks alone would do if servers were without fault; but wsgidav takes a lock away with the document that is replaced, and whoever asks for
//! one at that moment is given an empty document in its place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

/// The places where an effect is under way, or waited for.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<BTreeMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl Places {
    /// Waits until nobody else changes that place; others wait until what is given is dropped.
    pub(super) async fn alone(&self, path: &str) -> OwnedMutexGuard<()> {
        let place = {
            let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            places.retain(|_, place| place.strong_count() > 0);
            match places.get(path).and_then(Weak::upgrade) {
                Some(place) => place,
                None => {
                    let place = Arc::default();
                    places.insert(path.to_owned(), Arc::downgrade(&place));
                    place
                }
            }
        };
        place.lock_owned().await
    }
}
