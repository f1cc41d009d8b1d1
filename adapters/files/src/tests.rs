//! A drop folder, file by file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::{Received, Receiving};
use passerelle_proto::backoffice::files::v1::FileArrived;
use prost::Message;
use tempfile::TempDir;

use crate::file::File;
use crate::folder::{Folder, LARGEST};
use crate::receiving::Incoming;

fn world(taken: Option<&str>) -> (TempDir, Arc<Folder>) {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder {
        endpoint: "drop".to_owned(),
        incoming: root.path().join("incoming"),
        taken: taken.map(|taken| root.path().join(taken)),
        aside: root.path().join("aside"),
        look_every: Duration::from_millis(10),
    };
    fs::create_dir(&folder.incoming).unwrap();
    (root, Arc::new(folder))
}

fn arrived(received: &Received) -> FileArrived {
    FileArrived::decode(received.data.clone()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_not_settled_is_handed_over_again_in_the_same_order() {
    let (_root, folder) = world(None);
    for name in ["b", "a", "c"] {
        fs::write(folder.incoming.join(name), name).unwrap();
    }
    let mut first = Incoming::new(folder.clone());
    let came = [first.next().await.unwrap(), first.next().await.unwrap(), first.next().await.unwrap()];
    first.taken(&came[0].id).await.unwrap();
    drop(first);
    let mut second = Incoming::new(folder.clone());
    assert_eq!([second.next().await.unwrap(), second.next().await.unwrap()], came[1..]);
    assert_eq!(arrived(&came[2]).content, arrived(&came[2]).name.as_bytes());
    second.taken(&came[1].id).await.unwrap();
    second.taken(&came[2].id).await.unwrap();
    assert_eq!(names(&folder.incoming), [""; 0]);
}

#[tokio::test]
async fn what_is_being_written_waits_and_what_is_too_large_or_refused_is_set_aside() {
    let (root, folder) = world(Some("done"));
    for name in [".hidden", "x.part", "x.tmp"] {
        fs::write(folder.incoming.join(name), name).unwrap();
    }
    fs::write(folder.incoming.join("large"), vec![0; LARGEST as usize + 1]).unwrap();
    fs::write(folder.incoming.join("refused"), "no").unwrap();
    fs::write(folder.incoming.join("taken"), "yes").unwrap();
    let mut incoming = Incoming::new(folder.clone());
    for _ in 0..2 {
        let received = incoming.next().await.unwrap();
        match received.subject.as_str() {
            "refused" => incoming.refused(&received.id, "for the test").await.unwrap(),
            name => {
                assert_eq!(name, "taken");
                incoming.taken(&received.id).await.unwrap();
            }
        }
    }
    assert_eq!(names(&folder.aside), ["large", "refused"]);
    assert_eq!(names(&root.path().join("done")), ["taken"]);
    assert_eq!(names(&folder.incoming), [".hidden", "x.part", "x.tmp"]);
}

#[tokio::test]
async fn a_file_that_was_written_to_after_it_was_handed_over_comes_again_as_another_one() {
    let (_root, folder) = world(None);
    let path = folder.incoming.join("a");
    fs::write(&path, "one").unwrap();
    let mut incoming = Incoming::new(folder.clone());
    let first = incoming.next().await.unwrap();
    fs::write(&path, "another").unwrap();
    incoming.taken(&first.id).await.unwrap();
    let second = incoming.next().await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(arrived(&second).content, b"another".as_slice());
}

#[test]
fn a_file_of_settings_says_what_is_wrong_with_it() {
    let refused = |text: &str| File::parse(Path::new("drop.yaml"), text).unwrap_err().to_string();
    assert!(refused("adapter: files\nfolder: in\ntaken: in").contains("taken: it is `folder` itself"));
    assert!(refused("adapter: files\nfolder: in\nlook_every_ms: 1").contains("look_every_ms: 1 is out of range"));
    assert!(refused("adapter: files\nfoldr: in").starts_with("drop.yaml:2:1"));
}
