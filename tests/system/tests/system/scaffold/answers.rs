//! The database of answers that many want at the same moment.

use std::fs;
use std::process::Command;

use expect_test::expect;
use passerelle_peers::{Run, scaffold};

use super::begun;

#[test]
fn a_new_database_is_opened_by_many_threads_and_processes_at_once() {
    let Some(python) = scaffold::python() else { return };
    let (_world, folder) = begun("python");
    fs::write(folder.join("opening.py"), include_str!("probe/opening.py")).unwrap();
    let run = Run::of(Command::new(python).arg("opening.py").current_dir(&folder));
    assert!(run.status.success(), "{run:?}");
    expect![[r#"
        opened 60
    "#]]
    .assert_eq(&run.stdout);
}
