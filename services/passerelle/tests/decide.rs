//! `passerelle decide` and `passerelle decision`, as people and scripts meet them, on the sample models.
#![allow(clippy::expect_used, reason = "all of it is tests")]

use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};

const CLAIM: &str = r#"{"customerValue":"gold","reason":"claim","channel":"web","contacts7d":1}"#;
const NOON: &str = "2026-03-01T12:00:00Z";

/// Standard output, standard error and exit code, in the folder of samples.
fn passerelle(arguments: &[&str]) -> String {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sample/decisions");
    let output = Command::new(env!("CARGO_BIN_EXE_passerelle")).args(arguments).env_clear().current_dir(samples).output();
    let output = output.expect("passerelle runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("it ends by itself");
    format!("{}{}exit {code}\n", text(&output.stdout), text(&output.stderr))
}

fn shows(arguments: &[&str], expected: Expect) {
    expected.assert_eq(&passerelle(arguments));
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file in a new folder");
    path.to_str().expect("a path in UTF-8").to_owned()
}

#[test]
fn a_decision_is_made_over_json() {
    shows(
        &["decide", "treatment/treatment.dmn", "Treatment", "--json", CLAIM],
        expect![[r#"
        {"basket":"senior claims","action":"call back","callbackMin":30}
        exit 0
    "#]],
    );
    shows(
        &["decide", "treatment/treatment.dmn", "Treatmnt", "--json", CLAIM],
        expect![[r#"
        error: the model has no decision 'Treatmnt'; it has: Treatment
        exit 1
    "#]],
    );
    shows(
        &["decide", "treatment/treatment.dmn", "Treatment", "--json", "[1]"],
        expect![[r#"
        error: --json: expected an object, whose keys are the inputs
        exit 2
    "#]],
    );
}

#[test]
fn a_decision_says_why_it_is_as_it_is_and_what_would_have_changed_it() {
    shows(
        &["decide", "treatment/treatment.dmn", "Treatment", "--json", CLAIM, "--why", "--now", NOON],
        expect![[r#"
        Treatment = {basket: "senior claims", action: "call back", callbackMin: 30}
        model Treatment of interactions (urn:passerelle:sample:treatment), version sha256:36900257c2519c52934e9946c2407c0d441f1f160c1d622a5cc3aef88e111dde
        at 2026-03-01T12:00:00Z
        input customerValue: "gold"
        input reason: "claim"
        input channel: "web"
        input contacts7d: 1
        table of Treatment over customerValue: "gold", reason: "claim", channel: "web", contacts7d: 1
          row 2 (treatment_02) decides; why: one person from begin to end
          row 4 (treatment_04) comes next: it hits too, and the hit policy prefers another
        decision Treatment = {basket: "senior claims", action: "call back", callbackMin: 30}
        customerValue = "silver" would give {basket: "claims", action: "call back", callbackMin: 120}
        customerValue = "standard" would give {basket: "claims", action: "call back", callbackMin: 480}
        reason = "complaint" would give {basket: "retention", action: "call back", callbackMin: 15}
        reason = "order" would give {basket: "advisers", action: "answer", callbackMin: null}
        reason = "information" would give {basket: "advisers", action: "answer", callbackMin: null}
        contacts7d = -1 would give null
        exit 0
    "#]],
    );
}

#[test]
fn a_certificate_is_verified_and_a_changed_one_is_found_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = passerelle(&["decide", "treatment/treatment.dmn", "Treatment", "--json", CLAIM, "--why=json", "--now", NOON]);
    let json = json.strip_suffix("exit 0\n").expect("it decides");
    let certificate = write(folder.path(), "certificate.json", json);
    shows(
        &["decision", "verify", &certificate, "treatment/treatment.dmn"],
        expect![[r#"
        ok: Treatment decides as certified, with the same rules in 2 steps
        exit 0
    "#]],
    );

    for (what, from, to, says) in [
        ("the outcome", "senior claims", "retention", "other outcome"),
        ("an input", "\"gold\"", "\"silver\"", "other outcome"),
        ("a rule", "treatment_02", "treatment_04", "step"),
        ("the version", "sha256:", "sha256:0", "the certificate is of model"),
    ] {
        let changed = json.replace(from, to);
        assert_ne!(changed, json, "{what} is in it");
        let changed = write(folder.path(), "changed.json", &changed);
        let answer = passerelle(&["decision", "verify", &changed, "treatment/treatment.dmn"]);
        assert!(answer.ends_with("exit 1\n") && answer.contains(says), "{what}: {answer}");
    }
}

#[test]
fn tables_are_checked_and_what_they_leave_out_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    shows(
        &["decision", "check", "treatment/treatment.dmn", "contact-pressure/contact-pressure.dmn"],
        expect![[r#"
            treatment/treatment.dmn: Treatment: 12 rules, First; gaps 0, conflicts 0, dead rules 0, opaque cells 0
            contact-pressure/contact-pressure.dmn: Contact: 9 rules, First; gaps 0, conflicts 0, dead rules 0, opaque cells 0
            exit 0
        "#]],
    );
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sample/decisions");
    let model = std::fs::read_to_string(samples.join("treatment/treatment.dmn")).expect("the sample");
    let holed = model.replace("<text>\"complaint\"</text>", "<text>\"claim\"</text>");
    assert_ne!(holed, model, "complaints have a rule");
    let answer = passerelle(&["decision", "check", &write(folder.path(), "holed.dmn", &holed)]);
    assert!(
        answer.contains("  gap") && answer.contains("complaint") && answer.ends_with("exit 1\n"),
        "it is declared total: {answer}"
    );
}

#[test]
fn the_cases_beside_the_models_pass() {
    shows(
        &["decision", "tck", "."],
        expect![[r#"
        34 of 34 results as expected, in 2 files
        exit 0
    "#]],
    );
}
