//! What operators see of a call: its three parts, and nothing of what is in its records.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;

use super::bank::{Bank, HOSTS};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_call_shows_its_parts_and_nothing_of_its_records() {
    let bank = Bank::open(HOSTS[2]).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    // Of the whole process: one of a single thread may miss what another test's thread met first. The others' calls may be seen.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    for customer in ["0000123456", "0000000404", "0000000666", "12345678901"] {
        let _ = bank.teller.call("InquireAccounts", json!({ "customerId": customer })).await;
    }

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let address = bank.double.local_addr();
    for expected in
        ["encode", "decode", "host{transport=\"ims_connect\" trancode=\"ACCTINQ\"", "request_bytes=", "response_bytes="]
    {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
    assert!(text.contains(&format!("address=\"{address}\"")), "{text}");
    for personal in ["DUPONT", "0000123456", "123456", "12345.67"] {
        assert!(!text.contains(personal), "{personal} is in:\n{text}");
    }
}
