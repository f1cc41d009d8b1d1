//! Answers are kept with their effects, whoever opens the file at the same moment.

use std::sync::Barrier;

use bytes::Bytes;
use passerelle_adapter::Context;

use super::*;
use crate::call::Over;

const SCHEMA: &str = "CREATE TABLE things (id INTEGER PRIMARY KEY); INSERT INTO things DEFAULT VALUES";

fn answers(folder: &tempfile::TempDir, name: &str) -> Answers {
    Answers::new(folder.path().join(name), SCHEMA, Duration::from_secs(10))
}

fn call(key: &str, request: &'static [u8]) -> Call {
    let context = Context { idempotency_key: Some(key.to_owned()).filter(|key| !key.is_empty()), ..Context::default() };
    Call { method: "a.v1.A/B", context, request: Bytes::from_static(request), over: Over::new().1 }
}

fn add(answers: &Answers, call: &Call) -> Result<i64, Fault> {
    answers.once(call, |database| {
        database.execute("INSERT INTO things DEFAULT VALUES", [])?;
        Ok(database.last_insert_rowid())
    })
}

fn count(answers: &Answers) -> Result<i64, Fault> {
    answers.row("SELECT count(*) FROM things", [], |row| row.get(0))
}

fn things(answers: &Answers) -> i64 {
    count(answers).unwrap()
}

#[test]
fn a_new_database_is_opened_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let start = Barrier::new(8);
    let open = || -> Vec<Result<i64, Fault>> {
        let opened = |round| {
            start.wait();
            // Of its own, as another process would have it. What fails is told at the end: the others wait at the barrier.
            count(&answers(&folder, &format!("{round}.db")))
        };
        (0..50).map(opened).collect()
    };
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let failed: Vec<_> = opened.iter().filter(|things| **things != Ok(1)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn one_key_is_one_effect_and_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let answers = answers(&folder, "a.db");
    assert_eq!(answers.lookup("k").unwrap(), Lookup::NotDone);
    assert_eq!(add(&answers, &call("k", b"x")).unwrap(), 2);
    assert_eq!(add(&answers, &call("k", b"x")).unwrap(), 2);
    let other = add(&answers, &call("k", b"y")).unwrap_err();
    assert!(matches!(other, Fault::Rejected { reason: Rejection::Invalid, .. }), "{other}");
    assert_eq!(things(&answers), 2);
    assert_eq!(answers.lookup("k").unwrap(), Lookup::Done(2_i64.encode_to_vec().into()));
    assert_eq!((add(&answers, &call("", b"x")).unwrap(), add(&answers, &call("", b"x")).unwrap()), (3, 4));
}

#[test]
fn what_fails_leaves_nothing_and_tells_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let answers = answers(&folder, "a.db");
    let refused: Result<i64, Fault> = answers.once(&call("k", b"x"), |database| {
        database.execute("INSERT INTO things DEFAULT VALUES", [])?;
        Err(Fault::rejected(Rejection::Precondition, "not today").into())
    });
    assert_eq!(refused, Err(Fault::rejected(Rejection::Precondition, "not today")));
    let failed: Result<i64, Fault> = answers.once(&call("k", b"x"), |database| {
        database.execute("INSERT INTO things (id) VALUES (1)", [])?;
        Ok(1)
    });
    let failed = failed.unwrap_err();
    assert_eq!(failed.to_string(), "the database took nothing: ConstraintViolation (SQLite's error 1555)");
    assert_eq!((things(&answers), answers.lookup("k").unwrap()), (1, Lookup::NotDone));
}

#[test]
fn a_database_that_cannot_be_had_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let answers = answers(&folder, "no/such/folder.db");
    let Health::Down { reason } = answers.health() else { panic!("it is not there") };
    assert!(reason.starts_with("the database cannot be opened: CannotOpen"), "{reason}");
}
