//! The command as people and scripts meet it: exit codes, what goes to which stream, words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of it is tests")]

use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};

/// Exit code, standard output and standard error, with the folder's own path left out.
fn passerelle(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passerelle"));
    command.args(arguments).current_dir(folder).env_clear().envs(environment.iter().copied()).stdin(Stdio::null());
    let output = command.output().expect("passerelle runs");
    let folder = folder.canonicalize().unwrap();
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&format!("{}/", folder.display()), "");
    (output.status.code().expect("it ends by itself"), words(&output.stdout), words(&output.stderr))
}

#[track_caller]
fn fails(folder: &Path, arguments: &[&str], environment: &[(&str, &str)], expected: Expect) {
    let (code, _, error) = passerelle(folder, arguments, environment);
    assert_eq!(code, 1, "{arguments:?}: {error}");
    expected.assert_eq(&error);
}

#[test]
fn the_sample_settings_are_proven() {
    let folder = tempfile::tempdir().unwrap();
    let (code, sample, error) = passerelle(folder.path(), &["reference", "sample"], &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    std::fs::write(folder.path().join("passerelle.yaml"), sample).unwrap();
    let (code, output, error) = passerelle(folder.path(), &["check"], &[]);
    assert_eq!((code, output.as_str(), error.as_str()), (0, "ok settings passerelle.yaml\n", ""));
}

#[test]
fn settings_that_are_wrong_are_told_with_their_place_and_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    fails(
        folder.path(),
        &["check"],
        &[],
        expect![[r#"
            error: there is no settings file passerelle.yaml here: name one with --settings FILE, or begin with `passerelle reference sample > passerelle.yaml`
            P0001: `passerelle explain P0001` tells what it means and the way out
        "#]],
    );
    std::fs::write(folder.path().join("wrong.yaml"), "limits:\n  message_byte: 5\n").unwrap();
    fails(
        folder.path(),
        &["check", "--settings", "wrong.yaml"],
        &[],
        expect![[r#"
            error: wrong.yaml:2:3: limits.message_byte: unknown field `message_byte`, expected one of message_bytes, metadata_bytes, streams_per_connection, connections, deadline_ms, handshake_ms
            P0002: `passerelle explain P0002` tells what it means and the way out
        "#]],
    );
    std::fs::write(folder.path().join("right.yaml"), "{}").unwrap();
    let environment = [("PASSERELLE_SETTINGS", "right.yaml"), ("PASSERELLE_WORKERS", "many")];
    fails(
        folder.path(),
        &["check"],
        &environment,
        expect![[r#"
            error: PASSERELLE_WORKERS: workers: `many` is no whole number, 0 or more
            P0004: `passerelle explain P0004` tells what it means and the way out
        "#]],
    );
}

#[test]
fn every_endpoint_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "
endpoints:
  good: { addresses: ['http://127.0.0.1:1'] }
  misspelt: { adapter: mainfrane, file: a.yaml }
  missing: { adapter: mainframe, file: a.yaml }
";
    std::fs::write(folder.path().join("passerelle.yaml"), settings).unwrap();
    let (code, output, error) = passerelle(folder.path(), &["check"], &[]);
    assert_eq!(code, 1);
    assert!(output.contains("ok endpoint good: gRPC at http://127.0.0.1:1"), "{output}");
    assert!(
        error.contains("passerelle.yaml:4:15: endpoints.misspelt.adapter: unknown adapter `mainfrane` (available: "),
        "{error}"
    );
    assert!(error.contains("passerelle.yaml:5:34: endpoints.missing.file: cannot read a.yaml: No such file"), "{error}");
}

#[test]
fn a_wrong_name_is_answered_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    fails(
        folder.path(),
        &["explain", "P0999"],
        &[],
        expect![[r#"
            error: there is no error code `P0999`; `passerelle explain` lists them all
        "#]],
    );
    let (code, _, error) = passerelle(folder.path(), &["adapter", "describe", "x"], &[]);
    assert!(
        code == 1 && error.contains("unknown adapter `x` (available: callback, crm, documents, files, mainframe, remote)"),
        "{error}"
    );
    let (code, _, error) = passerelle(folder.path(), &["reference", "x"], &[]);
    assert!(code == 1 && error.contains("there are settings, "), "{error}");
}

#[test]
fn wrong_arguments_end_with_two() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["chek"][..], &["check", "--setings", "a"], &["adapter", "describe"], &[]] {
        let (code, output, error) = passerelle(folder.path(), arguments, &[]);
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}");
        assert!(error.contains("Usage: passerelle"), "{error}");
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_panic() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passerelle"));
    let mut child = command.args(["reference", "errors"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
