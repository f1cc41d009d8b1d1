//! The idempotency keys whose operations are under way: two calls under one key do not run at the same time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Fault;

/// When to ask again for an operation that is under way.
const AGAIN: Duration = Duration::from_millis(250);

/// Keys, or digests of them.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(Arc<Mutex<BTreeSet<String>>>);

/// One of them; not under way any more when dropped.
#[derive(Debug)]
pub struct Operation {
    all: UnderWay,
    key: String,
}

impl UnderWay {
    /// Begins an operation.
    ///
    /// # Errors
    /// [`Fault::Unavailable`]: one of this key is under way.
    pub fn begin(&self, key: &str) -> Result<Operation, Fault> {
        if self.keys().insert(key.to_owned()) {
            return Ok(Operation { all: self.clone(), key: key.to_owned() });
        }
        Err(unavailable("the operation with this idempotency key is still under way"))
    }

    /// Whoever looks one up must wait until it is not under way.
    ///
    /// # Errors
    /// [`Fault::Unavailable`]: it is.
    pub fn ended(&self, key: &str) -> Result<(), Fault> {
        if self.keys().contains(key) { Err(unavailable("it is still under way")) } else { Ok(()) }
    }

    fn keys(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.all.keys().remove(&self.key);
    }
}

fn unavailable(message: &str) -> Fault {
    Fault::Unavailable { retry_after: Some(AGAIN), message: message.to_owned() }
}
