//! Messages that are too large, both ways: a clear answer to who sent or asked, and nothing to anybody else.

use bytes::Bytes;
use passerelle_system::planted::Piece;
use prost::Message;
use tonic::Code;

use super::{Scene, echoes, number, path};

const LIMIT: usize = 4 << 20;
const PIECES: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_over_the_limit_is_told_both_ways_and_the_streams_of_others_go_on() {
    let scene = Scene::ready().await;
    let mut stream = scene.client().follow(&path("Flood"), number(PIECES)).await.unwrap();
    let large = |length: usize| Bytes::from(Piece { number: 0, data: vec![7; length].into() }.encode_to_vec());
    for next in 0..PIECES {
        let piece = stream.message().await.unwrap().unwrap();
        assert_eq!(Piece::decode(piece).unwrap(), Piece::of(next));
        if next % 50 != 0 {
            continue;
        }
        let status = scene.client().call(&path("Echo"), large(LIMIT + 1)).await.unwrap_err();
        let told = status.message().contains("4194304") || status.message().contains("limit");
        assert!([Code::ResourceExhausted, Code::InvalidArgument].contains(&status.code()) && told, "{status:?}");
        let status = scene.client().call(&path("Large"), number(LIMIT as u64 + 1)).await.unwrap_err();
        assert!(status.code() == Code::Unknown && status.message().contains("over the limit of 4194304 bytes"), "{status:?}");
        assert_eq!(scene.client().call(&path("Large"), number(LIMIT as u64 - 64)).await.unwrap(), large(LIMIT - 64));
        echoes(&scene.client()).await.unwrap();
    }
    assert!(stream.message().await.unwrap().is_none(), "whole");
    let adapter = scene.adapter(1);
    scene.end("oversized", adapter);
}
