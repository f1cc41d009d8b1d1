//! A process that is killed in the middle, again and again: position and rows agree, and nothing is folded twice.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use passerelle_projection::rusqlite::{Connection, OpenFlags};
use passerelle_projection::{Projection, Settings};

use crate::fixture::{Held, Seen, World, caught_up, held};

const FILE: &str = "PROJECTION_OF_THE_CHILD";
const RECORDS: u64 = 60_000;

/// The same records in every process.
async fn fill(world: &World) {
    world.write((0..RECORDS).map(|number| format!("{}", number % 101))).await;
}

fn settings() -> Settings {
    Settings { transaction_records: 50, checkpoint_bytes: 256 << 10, ..Settings::default() }
}

/// Run by the test below in a process of its own; says each position that it has committed.
#[tokio::test]
#[ignore = "the child of another test"]
async fn child() {
    let path = PathBuf::from(std::env::var_os(FILE).expect("run by its parent"));
    let world = World::new();
    fill(&world).await;
    let projection = Projection::open(&path, vec![Seen::boxed("seen", 1)], world.journal.clone(), settings()).expect("it opens");
    let mut position = projection.position();
    println!("at {position}");
    while position < world.last() {
        position = projection.until(|status| status.position > position).await.position;
        println!("at {position}");
    }
    projection.close().await;
}

fn spawn(world: &World) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", "crash::child", "--ignored", "--nocapture"]).env(FILE, world.path());
    child.stdout(Stdio::piped()).spawn().expect("it starts")
}

#[tokio::test]
async fn killed_at_any_moment_position_and_rows_agree() {
    let world = World::new();
    let mut last = 0;
    let mut kills = 0;
    loop {
        let mut child = spawn(&world);
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let positions = lines.filter_map(|line| line.strip_prefix("at ").and_then(|position| position.parse::<i64>().ok()));
        // Each round gets a little further, to another moment of a transaction or a checkpoint.
        let told = positions.take(20 + 7 * kills).last().expect("it began");
        let ended = told == RECORDS as i64;
        if !ended {
            child.kill().expect("kill -9");
            kills += 1;
        }
        child.wait().expect("it is over");
        if ended {
            break;
        }
        let connection = Connection::open_with_flags(world.path(), OpenFlags::SQLITE_OPEN_READ_WRITE).expect("it opens");
        let found = Held::read("seen", &connection).expect("it reads");
        found.assert_whole();
        assert!(found.position >= told && found.position >= last, "what was told is there");
        last = found.position;
    }
    assert!(kills >= 10, "killed {kills} times");
    fill(&world).await;
    let projection = world.open_with(vec![Seen::boxed("seen", 1)], settings());
    caught_up(&projection).await;
    let followed = held(&projection, "seen").await;
    assert_eq!(followed.position, RECORDS as i64);
    projection.close().await;
    Projection::erase(&world.path()).expect("nobody has it open");
    let projection = world.open(vec![Seen::boxed("seen", 1)]);
    caught_up(&projection).await;
    assert_eq!(held(&projection, "seen").await, followed);
}
