//! How far a journal has got, and who is woken to hear of it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::Position;

/// How far a journal has got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durability {
    /// Everything up to here is on disk.
    pub position: Position,
    /// Records after this one, up to `position`, have no key: they were published. Who follows keys need not read them.
    pub keyed: Position,
    /// Why nothing can be written any more, until the process is started again. Reading goes on.
    pub failed: Option<Arc<str>>,
}

/// Tells those who follow. Batches become durable a thousand times a second, and a thread that is woken for nothing takes a core from
/// the next batch: so who need not hear of each one has a channel of his own.
#[derive(Debug)]
pub(crate) struct Announcer {
    each: watch::Sender<Durability>,
    decided: watch::Sender<Durability>,
}

impl Announcer {
    pub(crate) fn new(durability: Durability) -> Self {
        Self { decided: watch::Sender::new(durability.clone()), each: watch::Sender::new(durability) }
    }

    /// Changes it, and wakes those whom that concerns.
    pub(crate) fn tell(&self, change: impl FnOnce(&mut Durability)) {
        self.change(change);
        self.wake();
    }

    /// Changes it for who looks. Those who follow sleep on until [`wake`](Self::wake).
    pub(crate) fn change(&self, change: impl FnOnce(&mut Durability)) {
        self.each.send_if_modified(|durability| {
            change(durability);
            false
        });
    }

    /// Wakes those whom what was changed concerns.
    pub(crate) fn wake(&self) {
        self.each.send_modify(|_| {});
        let now = self.each.borrow();
        self.decided.send_if_modified(|before| {
            let concerns = before.keyed != now.keyed || before.failed != now.failed;
            if concerns {
                *before = now.clone();
            }
            concerns
        });
    }

    /// How far it is.
    pub(crate) fn now(&self) -> watch::Ref<'_, Durability> {
        self.each.borrow()
    }

    /// See [`Journal::durable`](crate::Journal::durable).
    pub(crate) fn each(&self) -> watch::Receiver<Durability> {
        self.each.subscribe()
    }

    /// See [`Journal::decided`](crate::Journal::decided).
    pub(crate) fn decided(&self) -> watch::Receiver<Durability> {
        self.decided.subscribe()
    }
}
