//! The lifeline of a process that the bus started: its standard input, which ends when the bus is gone, however it went.

use std::io::Read;

use tokio::sync::oneshot;

/// What a process has of the bus that started it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lifeline {
    /// Nothing: it is started by others, or by hand.
    #[default]
    None,
    /// Standard input, whose other end the bus holds as long as it lives.
    StandardInput,
}

impl Lifeline {
    /// The environment variable by which a bus tells that there is one.
    pub const VARIABLE: &str = "PASSERELLE_ADAPTER_LIFELINE";

    /// What that variable says; what is not known is none.
    pub fn told(value: Option<&str>) -> Self {
        match value {
            Some("stdin") => Self::StandardInput,
            _ => Self::None,
        }
    }

    /// Returns when the bus that started this process is gone.
    pub(crate) async fn cut(self) {
        if self == Self::None {
            return std::future::pending().await;
        }
        let (gone, cut) = oneshot::channel();
        // A thread of its own, which nobody waits for: a blocking task of the runtime would hold up its end.
        let reading = std::thread::Builder::new().name("lifeline".to_owned()).spawn(move || {
            let mut buffer = [0; 64];
            while std::io::stdin().read(&mut buffer).is_ok_and(|read| read > 0) {}
            let _ = gone.send(());
        });
        match reading {
            Ok(_) if cut.await.is_ok() => tracing::warn!("the bus that started this adapter is gone"),
            _ => std::future::pending().await,
        }
    }
}
