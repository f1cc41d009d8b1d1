//! Every driver of documents keeps the laws, on a folder of this machine and on real servers.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod documents {
    pub(crate) mod broken;
    pub(crate) mod faults;
    pub(crate) mod memory;
    pub(crate) mod place;
}

use documents::place::{Place, folder, webdav};
use passerelle_conformance::documents::hold;
use passerelle_peers::Webdav;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_folder_keeps_the_laws() {
    hold(&folder().await.adapter).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_webdav_keeps_the_laws_on_wsgidav() {
    let Some(server) = Webdav::wsgidav() else { return };
    hold(&webdav(&server).await.adapter).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_webdav_keeps_the_laws_on_apache() {
    let Some(server) = Webdav::apache() else { return };
    hold(&webdav(&server).await.adapter).await;
}

/// The laws hold after a start as before it: nothing that is remembered lies in memory.
#[tokio::test]
async fn what_a_folder_holds_outlives_its_adapter() {
    let Place { adapter, folder, .. } = folder().await;
    drop(adapter);
    let again = documents::place::folder_in(folder).await;
    hold(&again.adapter).await;
}
