//! An adapter that is not as it should be: no call goes to it, an operator sees why, and it comes out by itself.

use passerelle_system::planted::{ANOTHER_KIND, ANOTHER_VERSION, UNKNOWN_TAKEN};
use tonic::Code;

use super::{Scene, echoes, path, terminate};

/// A good adapter whose process ends, and comes back with something wrong; then the right one comes.
async fn comes_back(mode: &str, state: &str, reason: &str) -> (Scene, u32) {
    let scene = Scene::ready().await;
    scene.turn(mode);
    terminate(scene.adapter(1));
    let second = scene.adapter(2);
    let shown = scene.until_shown(reason).await;
    assert!(shown.contains(state), "{shown}");
    (scene, second)
}

/// What a caller hears while an adapter is in quarantine.
async fn quarantined(mode: &str, reason: &str) -> (Scene, u32) {
    let (scene, second) = comes_back(mode, "down", reason).await;
    let status = echoes(&scene.client()).await.unwrap_err();
    assert!(status.code() == Code::Unavailable && status.message().contains("quarantined"), "{status:?}");
    assert!(status.message().contains(reason) && status.message().contains("P0027"), "{status:?}");
    (scene, second)
}

/// All is well again.
async fn is_mended(scene: Scene, name: &str, adapter: u32) {
    scene.until_shown("  ready").await;
    echoes(&scene.client()).await.unwrap();
    scene.end(name, adapter);
}

#[tokio::test]
async fn an_adapter_that_answers_in_another_version_of_the_port_gets_no_call_until_it_speaks_the_right_one() {
    let (scene, second) = quarantined(ANOTHER_VERSION, "it answers with version 2 of the port, this bus speaks [1]").await;
    scene.turn("");
    terminate(second);
    let third = scene.adapter(3);
    is_mended(scene, "another version", third).await;
}

#[tokio::test]
async fn an_adapter_that_fails_its_checks_gets_no_call_and_comes_out_by_itself_when_it_passes() {
    let reason = "a call of a method that it does not have ends without a fault";
    let (scene, second) = quarantined(UNKNOWN_TAKEN, reason).await;
    scene.turn("");
    is_mended(scene, "failed checks", second).await;
}

#[tokio::test]
async fn an_adapter_that_comes_back_as_another_is_shown_as_degraded_until_the_right_one_comes() {
    let reason = "the adapter came back as another: its kind changed";
    let (scene, second) = comes_back(ANOTHER_KIND, "degraded", reason).await;
    assert!(scene.daemon.log().contains("adapter drifted"), "{}", scene.daemon.log());
    scene.turn("");
    terminate(second);
    let third = scene.adapter(3);
    is_mended(scene, "another kind", third).await;
}

#[tokio::test]
async fn an_adapter_in_quarantine_from_the_start_is_routed_when_it_passes() {
    let scene = Scene::of(UNKNOWN_TAKEN);
    scene.until_shown("ends without a fault").await;
    scene.turn("");
    scene.client().wait_until_known(&path("Echo")).await;
    let adapter = scene.adapter(1);
    is_mended(scene, "quarantined from the start", adapter).await;
}
