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
    expect!["accounts.yaml: the lock file accounts.lock.yaml is missing: run `passerelle copybook proto accounts.yaml` and keep the lock file with the sources"].assert_eq(&folder.anonymous(&missing.to_string()));

    let adapter = open(&path).await.unwrap();
    let generated = generate(&path).unwrap();
    assert_eq!(adapter.descriptor().contracts[0].files[0].text, generated.proto_text);
    assert_eq!(adapter.descriptor().idempotent, ["bank.accounts.v1.Accounts/InquireAccounts"]);
    assert_eq!(adapter.descriptor().behind, ["ims_connect 127.0.0.1:1"]);
    assert_eq!(std::fs::read_to_string(&generated.lock_path).unwrap(), generated.lock_text, "generating again changes nothing");

    folder.write("accounts.cpy", &COPYBOOK.replace("AA-RATE ", "AA-RATE2"));
    let stale = open_locked(&path).await.map(|_| ()).unwrap_err();
    expect!["accounts.yaml: the lock file accounts.lock.yaml does not fit the copybooks and rules any more: run `passerelle copybook proto accounts.yaml` and keep the lock file with the sources"].assert_eq(&folder.anonymous(&stale.to_string()));
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
    check_file("AA-RETURN-CODE == -8", "AA-RETCODE == -8", expect!["accounts.yaml:18:17: when `AA-RETCODE == -8`: AA-RETCODE: no such item in ACCOUNTS-AREA (there are: ACCOUNTS-AREA, AA-FUNCTION, AA-RETURN-CODE, AA-REASON, AA-CUSTOMER, AA-NAME, AA-BALANCE, AA-RATE, AA-LIMIT, AA-ACCOUNT-COUNT, AA-ACCOUNT, AA-NUMBER, …)"]).await;
    check_file(
        "AA-RETURN-CODE == -8",
        "AA-RETURN-CODE == 'A'",
        expect!["accounts.yaml:18:17: when `AA-RETURN-CODE == 'A'`: AA-RETURN-CODE is a number, compare it with a number"],
    )
    .await;
    check_file(
        "AA-RETURN-CODE == -8",
        "AA-REASON < 'A'",
        expect!["accounts.yaml:18:17: when `AA-REASON < 'A'`: AA-REASON is text: it can be compared with ==, != and `in` only"],
    )
    .await;
    check_file(
        "AA-RETURN-CODE == -8",
        "AA-REASON == 8",
        expect!["accounts.yaml:18:17: when `AA-REASON == 8`: AA-REASON is text, compare it with a quoted text"],
    )
    .await;
    check_file(
        "AA-RETURN-CODE == -8",
        "AA-RETURN-CODE = -8",
        expect!["accounts.yaml:18:17: when `AA-RETURN-CODE = -8`: write `==` or `!=` at character 16"],
    )
    .await;
    check_file("AA-RETURN-CODE == -8", "AA-AMOUNT > 0", expect!["accounts.yaml:18:17: when `AA-AMOUNT > 0`: AA-ACCOUNT.AA-AMOUNT (line 16): an element of a table cannot be read by itself"]).await;
    check_file("include: [AA-CUSTOMER]", "include: [AA-CUSTNO]", expect!["accounts.yaml:10:5: operation InquireAccounts: AA-CUSTNO: no such item in ACCOUNTS-AREA (there are: ACCOUNTS-AREA, AA-FUNCTION, AA-RETURN-CODE, AA-REASON, AA-CUSTOMER, AA-NAME, AA-BALANCE, AA-RATE, AA-LIMIT, AA-ACCOUNT-COUNT, AA-ACCOUNT, AA-NUMBER, …)"]).await;
    check_file("AA-TYPE: { enum", "AA-KIND: { enum", expect!["accounts.yaml:10:5: operation InquireAccounts: AA-KIND: no such item in ACCOUNTS-AREA (there are: ACCOUNTS-AREA, AA-FUNCTION, AA-RETURN-CODE, AA-REASON, AA-CUSTOMER, AA-NAME, AA-BALANCE, AA-RATE, AA-LIMIT, AA-ACCOUNT-COUNT, AA-ACCOUNT, AA-NUMBER, …)"]).await;
    check_file(
        "copybook: accounts.cpy",
        "copybook: nowhere.cpy",
        expect!["accounts.yaml:10:5: operation InquireAccounts: cannot read nowhere.cpy: No such file or directory (os error 2)"],
    )
    .await;
    check_file("copybook: accounts.cpy", "copybook: answers.yaml", expect!["accounts.yaml:10:5: operation InquireAccounts: answers.yaml:2:1: a data description entry was expected: a level number such as 05, a name, and clauses"]).await;
    check_file(
        "copybook: accounts.cpy",
        "copybook: accounts.cpy, record: OTHER",
        expect!["accounts.yaml:10:5: operation InquireAccounts: OTHER: no such record (there are: ACCOUNTS-AREA)"],
    )
    .await;
    check_file("set: { AA-FUNCTION: INQ1 }", "set: { AA-FUNCTION: INQUIRE }", expect!["accounts.yaml:10:5: operation InquireAccounts: AA-FUNCTION (line 4): VALUE: text of 7 characters, and the item has room for 4"]).await;
    check_file(
        "${env:IMS_USER}",
        "${env:NOBODY}",
        expect!["accounts.yaml:5:10: host paris: credentials.user: ${env:NOBODY} is not set"],
    )
    .await;
    check_file(
        "${env:IMS_PASSWORD}",
        "${env:LONG}",
        expect!["accounts.yaml:5:10: host paris: credentials.password: it has more than 8 characters"],
    )
    .await;
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
    check_answers(
        "file: accounts.yaml",
        "file: nowhere.yaml",
        expect!["cannot read nowhere.yaml: No such file or directory (os error 2)"],
    )
    .await;
    check_answers(
        "file: accounts.yaml",
        "file: accounts.yaml\nhost: london",
        expect!["answers.yaml: unknown host `london`, there are: paris"],
    )
    .await;
    check_answers(
        "CloseAccount:",
        "OpenAccount:",
        expect!["answers.yaml: answers: unknown operation `OpenAccount`, host paris has: CloseAccount, InquireAccounts"],
    )
    .await;
    check_answers("name: \"DUPONT CHLOÉ\"", "nom: DUPONT", expect!["answers.yaml:5:7: InquireAccounts: SampleResponse: no field is called `nom` (there are: customer_id, name, balance, rate, limit, accounts)"]).await;
    check_answers("name: \"DUPONT CHLOÉ\"", "name: \"A NAME OF MORE THAN TWENTY LETTERS\"", expect!["answers.yaml:5:7: InquireAccounts: AA-NAME at offset 19, 20 bytes: text of 34 characters, and the item has room for 20"]).await;
    check_answers("AA-REASON: \"NF\"", "AA-GRUND: \"NF\"", expect!["answers.yaml:17:7: InquireAccounts: AA-GRUND: no such item in ACCOUNTS-AREA (there are: ACCOUNTS-AREA, AA-FUNCTION, AA-RETURN-CODE, AA-REASON, AA-CUSTOMER, AA-NAME, AA-BALANCE, AA-RATE, AA-LIMIT, AA-ACCOUNT-COUNT, AA-ACCOUNT, AA-NUMBER, …)"]).await;
    check_answers(
        "abend: S0C7",
        "abend: oops",
        expect!["answers.yaml:20:7: InquireAccounts: `oops` is no abend code: 3 to 5 capital letters and digits"],
    )
    .await;
    check_answers(
        "close: true",
        "close: true, garbage: true",
        expect!["answers.yaml:21:7: InquireAccounts: a sample has one of: reply (with set, echo), abend, close, garbage"],
    )
    .await;
    check_answers(
        "close: true",
        "",
        expect!["answers.yaml:21:7: InquireAccounts: a sample has one of: reply (with set, echo), abend, close, garbage"],
    )
    .await;
    check_answers("close: true", "explode: true", expect!["answers.yaml:21:46: answers.InquireAccounts[7].explode: unknown field `explode`, expected one of match, reply, echo, set, abend, close, garbage, latency_ms"]).await;
}

#[tokio::test]
async fn a_double_says_that_it_is_one() {
    let folder = folder();
    let double = Double::bind("127.0.0.1:0", &folder.path("answers.yaml"), &Wallet).await.unwrap();
    expect!["HOST DOUBLE, not a mainframe: plays paris (ims_connect) on ADDRESS with sample answers"]
        .assert_eq(&double.banner().replace(&double.local_addr().to_string(), "ADDRESS"));
    let taken = Double::bind(&double.local_addr().to_string(), &folder.path("answers.yaml"), &Wallet).await.unwrap_err();
    expect!["ADDRESS: Address already in use (os error 98)"]
        .assert_eq(&taken.to_string().replace(&double.local_addr().to_string(), "ADDRESS"));
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
