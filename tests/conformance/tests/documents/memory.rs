//! Memory: a document of 20 MiB passes in both directions without being held.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use passerelle_adapter::{Adapter, Call, Context, Messages};
use passerelle_peers::Webdav;
use passerelle_proto::backoffice::documents::v1::{self as contract, store_request::What};
use prost::Message;

use super::broken::Hoarding;
use super::place::{folder, webdav};

const DOCUMENT: usize = 20 << 20;
const PIECE: usize = 64 << 10;
/// What a store may need beside what it needed before. A store that holds the document needs at least its size.
const MOST_GROWTH: usize = 8 << 20;

/// One process for all: others beside it would be measured too. Run by the one test below, in a process of its own.
const ALONE: &str = "PASSERELLE_MEASURES_MEMORY";

#[test]
fn a_document_passes_without_being_held() {
    let program = std::env::current_exe().expect("this program");
    let arguments = ["documents::memory::measured_alone", "--exact", "--ignored", "--nocapture"];
    let measured = std::process::Command::new(program).args(arguments).env(ALONE, "1").status().expect("it runs");
    assert!(measured.success());
}

#[tokio::test]
#[ignore = "run by a_document_passes_without_being_held, in a process of its own"]
async fn measured_alone() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    let local = folder().await;
    let servers = [Webdav::wsgidav(), Webdav::apache()];
    let mut grown = vec![("folder", growth(&local.adapter).await)];
    for server in servers.iter().flatten() {
        grown.push(("webdav", growth(&webdav(server).await.adapter).await));
    }
    println!("resident memory grew by (bytes): {grown:?}");
    assert!(grown.iter().all(|(_, growth)| *growth < MOST_GROWTH));
    let hoarding: Arc<dyn Adapter> = Arc::new(Hoarding(local.adapter));
    let held = growth(&hoarding).await;
    assert!(held > MOST_GROWTH, "the measure does not see a store that holds everything: {held} bytes");
}

/// By how much the process's peak grows while a document passes in and out.
async fn growth(adapter: &Arc<dyn Adapter>) -> usize {
    // Once before, so that what is made once is not counted.
    pass(adapter, PIECE).await;
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be forgotten");
    let before = status("VmRSS:");
    pass(adapter, DOCUMENT).await;
    status("VmHWM:").saturating_sub(before)
}

async fn pass(adapter: &Arc<dyn Adapter>, length: usize) {
    let reference = || Some(contract::Reference { folder: String::new(), name: "large".to_owned() });
    let start = contract::Start { reference: reference(), ..Default::default() };
    let message = |what| Ok(Bytes::from(contract::StoreRequest { what: Some(what) }.encode_to_vec()));
    let pieces = (0..length / PIECE).map(move |number| message(What::Chunk(vec![number as u8; PIECE].into())));
    let messages = Messages::many(tokio_stream::iter(std::iter::once(message(What::Start(start))).chain(pieces)));
    let call = |method: &str, messages| {
        let method = format!("passerelle.backoffice.documents.v1.Documents/{method}");
        adapter.call(Call { method, messages, context: Context::default() })
    };
    call("Store", messages).await.expect("it is stored");
    let request = contract::ReadRequest { reference: reference(), version: String::new() };
    let mut messages = call("Read", Messages::one(request.encode_to_vec())).await.expect("it is read");
    let mut read = 0;
    while let Some(message) = messages.next().await {
        read += message.expect("a message").len();
    }
    assert!(read >= length);
}

/// A line of the process's status, in bytes.
fn status(what: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the process's status");
    let line = status.lines().find_map(|line| line.strip_prefix(what)).expect("that line");
    line.split_whitespace().next().and_then(|kibibytes| kibibytes.parse::<usize>().ok()).expect("a number") << 10
}
