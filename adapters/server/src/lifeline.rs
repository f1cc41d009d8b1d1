//! The lifeline of a process that the bus started: its standard input, which ends when the bus is gone, however it went.

use std::io::Read;

use tokio::sync::oneshot;

/// Set to `stdin` by a bus that holds the other end of standard input as long as it lives.
const LIFELINE: &str = "PASSERELLE_ADAPTER_LIFELINE";

/// Returns when the bus that started this process is gone; never where nobody said that there is a lifeline.
pub(crate) async fn cut() {
    if std::env::var_os(LIFELINE).is_none_or(|lifeline| lifeline != "stdin") {
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
