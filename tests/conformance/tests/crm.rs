//! The laws of CRMs, on both drivers: an SQLite file, Tryton 6.0 and 8.2.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod crm {
    pub(crate) mod broken;
    pub(crate) mod faults;
    pub(crate) mod place;
}

use crm::place::{embedded, embedded_in, tryton};
use passerelle_conformance::crm::hold;
use passerelle_peers::Tryton;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_embedded_keeps_the_laws() {
    let place = embedded().await;
    hold(&place.adapter).await;
    // After a start as before it: nothing that is remembered lies in memory.
    drop(place.adapter);
    hold(&embedded_in(place.folder).await.adapter).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_tryton_keeps_the_laws_on_8_2() {
    let Some(server) = Tryton::recent() else { return };
    hold(&tryton(&server).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_tryton_keeps_the_laws_on_6_0() {
    let Some(server) = Tryton::debian() else { return };
    hold(&tryton(&server).await).await;
}
