//! A COBOL program that speaks EBCDIC records over TCP, called as a gRPC method through bus and adapter.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use passerelle_peers::Mainframe;
use passerelle_peers::mainframe::{Account, Contact, Customer, Framing, Inquiry, TRANSACTION};
use passerelle_system::{Client, Contract, Daemon, World};
use serde_json::{Value, json};
use tonic::{Code, Status};

const CALLS: u32 = 10_000;
const AT_A_TIME: usize = 64;

/// The methods of the contract, and the function that each asks of the program.
const FUNCTIONS: [(&str, &str); 7] = [
    ("Inquire", "INQ1"),
    ("Misunderstood", "NOPE"),
    ("CutShort", "CUT1"),
    ("CountTooHigh", "ODO1"),
    ("NoDigits", "PCK1"),
    ("Stall", "WAIT"),
    ("Abend", "DIE1"),
];

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_inquiries_over_the_length_prefix_bring_every_value() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    ten_thousand_inquiries_bring_every_value(&Bank::open(&mainframe, "transport: tcp")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_inquiries_over_ims_connect_bring_every_value() {
    let Some(mainframe) = Mainframe::start(Framing::ImsConnect) else { return };
    let host = "transport: ims_connect, irm: { id: \"*SAMPL1*\", datastore: IMSP }";
    ten_thousand_inquiries_bring_every_value(&Bank::open(&mainframe, host)).await;
}

#[tokio::test]
async fn the_other_exit_of_ims_connect_works_too() {
    let Some(mainframe) = Mainframe::start(Framing::ImsConnect) else { return };
    let bank = Bank::open(&mainframe, "transport: ims_connect, irm: { id: \"*SAMPLE*\", arch: 0, datastore: IMSP }");
    for inquiry in (0..50).map(Inquiry::nth) {
        bank.inquire_and_compare(&bank.daemon.client(), &inquiry).await;
    }
}

#[tokio::test]
async fn what_the_program_refuses_is_the_status_that_the_file_declares() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    let bank = Bank::open(&mainframe, "transport: tcp");
    for (method, inquiry, code) in [
        ("Inquire", Inquiry { customer_id: 0, ..Inquiry::nth(1) }, Code::NotFound),
        ("Inquire", Inquiry { wanted: 21, ..Inquiry::nth(1) }, Code::FailedPrecondition),
        ("Misunderstood", Inquiry::nth(1), Code::InvalidArgument),
    ] {
        let status = bank.call(method, &inquiry).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
    }
}

#[tokio::test]
async fn a_record_that_is_not_what_its_copybook_says_is_an_error_that_names_the_field() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    let bank = Bank::open(&mainframe, "transport: tcp");
    for (method, field) in [("CutShort", "BK-INQUIRY"), ("CountTooHigh", "BK-NB-ACCOUNTS"), ("NoDigits", "BK-BALANCE")] {
        let status = bank.call(method, &Inquiry::nth(5)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unknown, "{method}: {status:?}");
        assert!(status.message().contains(field), "{method}: {status:?}");
    }
    bank.inquire_and_compare(&bank.daemon.client(), &Inquiry::nth(6)).await;
}

#[tokio::test]
async fn a_program_that_never_answers_costs_its_caller_no_more_than_the_deadline() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    let bank = Bank::open(&mainframe, "transport: tcp");
    let start = Instant::now();
    let request = bank.request("Stall", &Inquiry::nth(1));
    let status = bank.daemon.client().call_within(Duration::from_millis(300), &path("Stall"), request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_program_that_abends_is_never_called_again_for_the_same_request() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    let bank = Bank::open(&mainframe, "transport: tcp");
    let status = bank.call("Abend", &Inquiry::nth(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unknown, "the effect may have happened: {status:?}");
    bank.inquire_and_compare(&bank.daemon.client(), &Inquiry::nth(2)).await;
}

#[tokio::test]
async fn an_unknown_transaction_is_refused_with_the_codes_of_ims_connect() {
    let Some(mainframe) = Mainframe::start(Framing::ImsConnect) else { return };
    let bank = Bank::open_transaction(&mainframe, "transport: ims_connect, irm: { datastore: IMSP }", "NOSUCH");
    let status = bank.call("Inquire", &Inquiry::nth(1)).await.unwrap_err();
    assert!([Code::FailedPrecondition, Code::Unavailable].contains(&status.code()), "{status:?}");
}

#[tokio::test]
async fn a_mainframe_that_is_down_is_unavailable() {
    let Some(mainframe) = Mainframe::start(Framing::LengthPrefixed) else { return };
    let bank = Bank::open(&mainframe, "transport: tcp");
    drop(mainframe);
    let status = bank.call("Inquire", &Inquiry::nth(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}

async fn ten_thousand_inquiries_bring_every_value(bank: &Bank) {
    let client = &bank.daemon.client();
    let inquiries = futures_util::stream::iter((0..CALLS).map(Inquiry::nth));
    let calls = inquiries.map(|inquiry| async move { bank.inquire_and_compare(client, &inquiry).await });
    assert_eq!(calls.buffer_unordered(AT_A_TIME).count().await, CALLS as usize);
}

/// A daemon before the mainframe, and the contract that `passerelle copybook proto` made for its channels.
struct Bank {
    daemon: Daemon,
    contract: Contract,
}

impl Bank {
    fn open(mainframe: &Mainframe, host: &str) -> Self {
        Self::open_transaction(mainframe, host, TRANSACTION)
    }

    fn open_transaction(mainframe: &Mainframe, host: &str, transaction: &str) -> Self {
        let address = mainframe.address();
        let host = format!("{{ {host}, endpoints: [\"{address}\"], pool: {{ max: 64 }} }}");
        let operations = FUNCTIONS.map(|(method, function)| operation(method, function, transaction)).concat();
        let file = include_str!("mainframe/mainframe.yaml").replace("HOST", &host) + &operations;
        let world = World::default()
            .copy(&Mainframe::copybook(), "accounts/BKINQ.cpy")
            .file("accounts/mainframe.yaml", &file)
            .settings("endpoints:\n  accounts: { adapter: mainframe, file: accounts/mainframe.yaml }\n");
        let made = world.run(&["copybook", "proto", "accounts/mainframe.yaml"]);
        assert!(made.status.success(), "{made:?}");
        let contract = Contract::compile(&world.path("accounts/bank/inquiry/v1/account_inquiry.proto"));
        Self { contract, daemon: world.serve() }
    }

    async fn inquire_and_compare(&self, client: &Client, inquiry: &Inquiry) {
        let answer = client.call(&path("Inquire"), self.request("Inquire", inquiry)).await;
        let answer = answer.unwrap_or_else(|status| panic!("{inquiry:?}: {status:?}"));
        let answer = self.contract.decode("bank.inquiry.v1.InquireResponse", answer);
        assert_eq!(answer, self.contract.normal("bank.inquiry.v1.InquireResponse", &expected(inquiry)), "{inquiry:?}");
    }

    async fn call(&self, method: &str, inquiry: &Inquiry) -> Result<Bytes, Status> {
        self.daemon.client().call(&path(method), self.request(method, inquiry)).await
    }

    fn request(&self, method: &str, inquiry: &Inquiry) -> Bytes {
        let Inquiry { customer_id, call_number, wanted, note, .. } = inquiry;
        let request = json!({
            "customerId": format!("{customer_id:010}"), "callNumber": call_number, "wanted": wanted, "note": note,
        });
        self.contract.encode(&format!("bank.inquiry.v1.{method}Request"), &request)
    }
}

fn path(method: &str) -> String {
    format!("/bank.inquiry.v1.AccountInquiry/{method}")
}

/// An entry of `operations:`.
fn operation(method: &str, function: &str, transaction: &str) -> String {
    let entry = include_str!("mainframe/operation.yaml").replace(" FUNCTION", &format!(" {function}"));
    entry.replace("METHOD", method).replace("TRANSACTION", transaction)
}

/// What the contract's answer holds for an inquiry, value by value.
fn expected(inquiry: &Inquiry) -> Value {
    let answer = inquiry.answer();
    let customer: Customer = answer.customer.expect("an inquiry that the bank answers");
    let mut expected = json!({
        "customerId": format!("{:010}", inquiry.customer_id),
        "callNumber": inquiry.call_number,
        "wanted": inquiry.wanted,
        "note": answer.note,
        "name": customer.name,
        "segment": match customer.segment { 'B' => "SEGMENT_BUSINESS", _ => "SEGMENT_PRIVATE" },
        "branch": customer.branch,
        "balance": decimal(customer.balance_cents, 2),
        "rate": decimal(customer.rate_e4, 4),
        "overdraft": decimal(customer.overdraft_cents, 2),
        "score": customer.score,
        "stamp": customer.stamp,
        "openedOn": customer.opened_on,
        "accounts": customer.accounts.iter().map(account).collect::<Vec<_>>(),
    });
    let (kind, arm, contact) = match customer.contact {
        Contact::Phone { country, number } => ("P", "phone", json!({ "phoneCountry": country, "phoneNumber": number })),
        Contact::Post { street, code, floor } => {
            ("M", "post", json!({ "postStreet": street, "postCode": code, "postFloor": floor }))
        }
    };
    expected["contactKind"] = kind.into();
    expected[arm] = contact;
    expected
}

fn account(account: &Account) -> Value {
    let kind = match account.kind {
        'C' => "ACCOUNT_TYPE_CURRENT",
        'S' => "ACCOUNT_TYPE_SAVINGS",
        _ => "ACCOUNT_TYPE_LOAN",
    };
    json!({ "number": account.number, "balance": decimal(account.balance_cents, 2), "type": kind, "moves": account.moves })
}

/// `-12345, 2` is `-123.45`.
fn decimal(units: i64, scale: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let (units, one) = (units.unsigned_abs(), 10_u64.pow(scale));
    format!("{sign}{}.{:0width$}", units / one, units % one, width = scale as usize)
}
