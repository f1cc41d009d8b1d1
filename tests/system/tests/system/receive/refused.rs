//! What the journal cannot take is set aside, and what comes after it is not held up.

use std::fs;

use passerelle_proto::backoffice::files::v1::FileArrived;
use prost::Message as _;

use super::{followed, world};

#[tokio::test]
async fn a_file_that_cannot_be_a_record_is_set_aside_and_the_next_one_comes() {
    let world = world();
    // A name with a control character is no subject of a message.
    fs::write(world.path("incoming/a\nb"), "no").unwrap();
    fs::write(world.path("incoming/c"), "yes").unwrap();
    let daemon = world.serve();
    let mut followed = followed(&daemon).await;
    followed.until(1).await;
    let message = &followed.messages[0];
    assert_eq!((message.source.as_str(), message.subject.as_str()), ("/endpoints/drop", "c"));
    assert_eq!(message.r#type, "passerelle.backoffice.files.v1.FileArrived");
    assert_eq!(FileArrived::decode(message.data.clone()).unwrap().content, b"yes".as_slice());
    assert!(daemon.path("aside/a\nb").exists(), "{}", daemon.log());
}
