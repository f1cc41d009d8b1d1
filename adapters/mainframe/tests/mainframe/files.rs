//! Opening: locks, copybooks, rules and samples that do not fit, and what their writers are told.

use adapter_mainframe::{Double, Mainframe, generate, layout};
use expect_test::{Expect, expect};
use passerelle_adapter::Kind;

use super::bank::{ANSWERS, COPYBOOK, Folder, HOSTS, Wallet, accounts, open, open_locked};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("accounts.yaml", &accounts(HOSTS[3], "127.0.0.1:1"));
    folder
}

#[tokio::test]
async fn without_a_lock_that_fits_the_adapter_does_not_open() {
    let folder = folder();
    let path = folder.path("accounts.yaml");
    let missing = open_locked(&path).await.map(|_| ()).unwrap_err();
    expect![""].assert_eq(&folder.anonymous(&missing.to_string()));

    let adapter = open(&path).await.unwrap();
    let generated = generate(&path).unwrap();
    assert_eq!(adapter.descriptor().contracts[0].files[0].text, generated.proto_text);
    assert_eq!(adapter.descriptor().idempotent, ["bank.accounts.v1.Accounts/InquireAccounts"]);
    assert_eq!(adapter.descriptor().behind, ["ims_connect 127.0.0.1:1"]);
    assert_eq!(std::fs::read_to_string(&generated.lock_path).unwrap(), generated.lock_text, "generating again changes nothing");

    folder.write("accounts.cpy", &COPYBOOK.replace("AA-RATE ", "AA-RATE2"));
    let stale = open_locked(&path).await.map(|_| ()).unwrap_err();
    expect![""].assert_eq(&folder.anonymous(&stale.to_string()));
}

#[tokio::test]
async fn a_new_field_leaves_the_numbers_of_the_others() {
    let folder = folder();
    let path = folder.path("accounts.yaml");
    let before = generate(&path).unwrap();
    std::fs::write(&before.lock_path, &before.lock_text).unwrap();
    let with_branch = COPYBOOK.replace("05  AA-RATE ", "05  AA-BRANCH PIC X(5).\n           05  AA-RATE ");
    folder.write("accounts.cpy", &with_branch);
    let after = generate(&path).unwrap();
    for line in before.proto_text.lines().filter(|line| line.contains(" = ")) {
        assert!(after.proto_text.contains(line.trim()), "{line}");
    }
    assert!(after.proto_text.contains("string branch = "));
}

async fn check_file(from: &str, to: &str, expected: Expect) {
    let folder = folder();
    let text = accounts(HOSTS[3], "127.0.0.1:1");
    assert!(text.contains(from), "{from}");
    let path = folder.write("accounts.yaml", &text.replacen(from, to, 1));
    let problem = open(&path).await.map(|_| "no problem".to_owned()).unwrap_or_else(|error| error.to_string());
    expected.assert_eq(&folder.anonymous(&problem));
}

#[tokio::test]
async fn what_does_not_fit_the_copybook_is_told_with_its_place() {
    check_file("AA-RETURN-CODE == -8", "AA-RETCODE == -8", expect![""]).await;
    check_file("AA-RETURN-CODE == -8", "AA-RETURN-CODE == 'A'", expect![""]).await;
    check_file("AA-RETURN-CODE == -8", "AA-REASON < 'A'", expect![""]).await;
    check_file("AA-RETURN-CODE == -8", "AA-REASON == 8", expect![""]).await;
    check_file("AA-RETURN-CODE == -8", "AA-RETURN-CODE = -8", expect![""]).await;
    check_file("AA-RETURN-CODE == -8", "AA-AMOUNT > 0", expect![""]).await;
    check_file("include: [AA-CUSTOMER]", "include: [AA-CUSTNO]", expect![""]).await;
    check_file("AA-TYPE: { enum", "AA-KIND: { enum", expect![""]).await;
    check_file("copybook: accounts.cpy", "copybook: nowhere.cpy", expect![""]).await;
    check_file("copybook: accounts.cpy", "copybook: answers.yaml", expect![""]).await;
    check_file("copybook: accounts.cpy", "copybook: accounts.cpy, record: OTHER", expect![""]).await;
    check_file("set: { AA-FUNCTION: INQ1 }", "set: { AA-FUNCTION: INQUIRE }", expect![""]).await;
    check_file("${env:IMS_USER}", "${env:NOBODY}", expect![""]).await;
    check_file("${env:IMS_PASSWORD}", "${env:LONG}", expect![""]).await;
}

async fn check_answers(from: &str, to: &str, expected: Expect) {
    let folder = folder();
    assert!(ANSWERS.contains(from), "{from}");
    let path = folder.write("answers.yaml", &ANSWERS.replacen(from, to, 1));
    let double = Double::bind("127.0.0.1:0", &path, &Wallet).await;
    let problem = double.map(|_| "no problem".to_owned()).unwrap_or_else(|error| error.to_string());
    expected.assert_eq(&folder.anonymous(&problem));
}

#[tokio::test]
async fn samples_that_do_not_fit_are_told_with_their_place() {
    check_answers("file: accounts.yaml", "file: nowhere.yaml", expect![""]).await;
    check_answers("file: accounts.yaml", "file: accounts.yaml\nhost: london", expect![""]).await;
    check_answers("CloseAccount:", "OpenAccount:", expect![""]).await;
    check_answers("name: \"DUPONT CHLOÉ\"", "nom: DUPONT", expect![""]).await;
    check_answers("name: \"DUPONT CHLOÉ\"", "name: \"A NAME OF MORE THAN TWENTY LETTERS\"", expect![""]).await;
    check_answers("AA-REASON: \"NF\"", "AA-GRUND: \"NF\"", expect![""]).await;
    check_answers("abend: S0C7", "abend: oops", expect![""]).await;
    check_answers("close: true", "close: true, garbage: true", expect![""]).await;
    check_answers("close: true", "", expect![""]).await;
    check_answers("close: true", "explode: true", expect![""]).await;
}

#[tokio::test]
async fn a_double_says_that_it_is_one() {
    let folder = folder();
    let double = Double::bind("127.0.0.1:0", &folder.path("answers.yaml"), &Wallet).await.unwrap();
    expect![""].assert_eq(&double.banner().replace(&double.local_addr().to_string(), "ADDRESS"));
    let taken = Double::bind(&double.local_addr().to_string(), &folder.path("answers.yaml"), &Wallet).await.unwrap_err();
    expect![""].assert_eq(&taken.to_string().replace(&double.local_addr().to_string(), "ADDRESS"));
    double.shutdown().await;
}

#[test]
fn layouts_are_shown_of_a_copybook_and_of_an_integrators_file() {
    let folder = folder();
    let of_copybook = layout(&folder.path("accounts.cpy")).unwrap();
    assert_eq!(of_copybook, layout(&folder.path("accounts.yaml")).unwrap(), "each record once");
    assert!(of_copybook.contains("AA-BALANCE"));
}

#[test]
fn the_kind_says_what_it_is() {
    assert_eq!((Mainframe.name(), Mainframe.maturity().as_str()), ("mainframe", "alpha"));
    assert_eq!(Mainframe.settings_schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}
