//! Idempotency keys under which something runs: one call at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The keys in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys(Arc<Mutex<HashMap<String, watch::Receiver<()>>>>);

/// A key in use; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    keys: Keys,
    key: String,
    _ended: watch::Sender<()>,
}

impl Keys {
    /// Waits until the key is free, and takes it.
    pub(crate) async fn take(&self, key: String) -> Turn {
        loop {
            if let Some(turn) = self.try_take(&key) {
                return turn;
            }
            self.ended(&key).await;
        }
    }

    /// Waits until nothing runs under the key.
    pub(crate) async fn ended(&self, key: &str) {
        let running = self.lock().get(key).cloned();
        if let Some(mut running) = running {
            // Nothing is ever sent: it returns when the other half is gone.
            let _ = running.changed().await;
        }
    }

    fn try_take(&self, key: &str) -> Option<Turn> {
        let mut keys = self.lock();
        if keys.contains_key(key) {
            return None;
        }
        let (_ended, running) = watch::channel(());
        keys.insert(key.to_owned(), running);
        Some(Turn { keys: self.clone(), key: key.to_owned(), _ended })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<()>>> {
        // Nothing that panics happens under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn a_key_is_one_call_s_at_a_time() {
        let keys = Keys::default();
        let first = keys.take("k".to_owned()).await;
        drop(keys.take("other".to_owned()).await);
        let mut second = pin!(keys.take("k".to_owned()));
        poll_fn(|context| {
            assert!(second.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(first);
        drop(second.await);
        keys.ended("k").await;
    }
}
