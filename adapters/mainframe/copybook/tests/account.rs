//! An account inquiry from copybook to contract, record and message, with prost-reflect as the judge of the protobuf side.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod oracle;

use expect_test::expect;
use oracle::hex;
use passerelle_copybook::{Codec, Contract, ContractBuilder, Copybook, Encoding, Fields, Layout, Lock, MessageRules, models};

const COPYBOOK: &str = "
       01  ACCT-AREA.
           05  AA-FUNCTION      PIC X(4).
           05  AA-RETCODE       PIC S9(4) COMP.
           05  AA-CUSTOMER-NO   PIC 9(10).
           05  AA-NAME          PIC X(20).
           05  AA-BALANCE       PIC S9(11)V99 COMP-3.
           05  AA-RATE          PIC S9(3)V9(4) SIGN LEADING SEPARATE.
           05  AA-LIMIT         PIC S9(7)V99.
           05  FILLER           PIC X(2).
           05  AA-COUNT         PIC S9(4) COMP.
           05  AA-ACCOUNT OCCURS 0 TO 20 TIMES DEPENDING ON AA-COUNT.
               10  AA-ACC-NO    PIC X(8).
               10  AA-ACC-BAL   PIC S9(9)V99 COMP-3.
               10  AA-ACC-TYPE  PIC X.
                   88  ACC-SAVINGS VALUE 'S'.
                   88  ACC-CURRENT VALUE 'C'.
";

const RULES: &str = "
AA-CUSTOMER-NO: { name: customer_id }
AA-ACCOUNT: { name: accounts, type: Account }
AA-ACC-TYPE: { enum: true, type: AccountType }
";

fn contract(lock: Lock) -> (Copybook, Contract) {
    let copybook = Copybook::parse("account.cpy", COPYBOOK).unwrap();
    let fields: Fields = serde_saphyr::from_str(RULES).unwrap();
    let request: MessageRules =
        serde_saphyr::from_str("{copybook: account.cpy, include: [AA-CUSTOMER-NO], set: {AA-FUNCTION: INQ1}, strip_prefix: AA-}")
            .unwrap();
    let response: MessageRules =
        serde_saphyr::from_str("{copybook: account.cpy, exclude: [AA-FUNCTION, AA-RETCODE], strip_prefix: AA-}").unwrap();
    let record = copybook.record(None).unwrap();
    let (request, response) = models("Inquire", (record, &request), (record, &response), &fields).unwrap();
    let contract =
        ContractBuilder::new("bank.accounts.v1", "AccountInquiry", lock).operation("Inquire", &request, &response).finish();
    (copybook.clone(), contract.unwrap())
}

#[test]
fn the_layout_says_where_everything_lies() {
    let copybook = Copybook::parse("account.cpy", COPYBOOK).unwrap();
    let layout = Layout::of(copybook.record(None).unwrap()).unwrap();
    expect![[r#"
        offset length  item
             0    364  01 ACCT-AREA
             0      4    05 AA-FUNCTION X(4)
             4      2    05 AA-RETCODE S9(4) COMP
             6     10    05 AA-CUSTOMER-NO 9(10)
            16     20    05 AA-NAME X(20)
            36      7    05 AA-BALANCE S9(11)V99 COMP-3
            43      8    05 AA-RATE S9(3)V9(4) SIGN LEADING SEPARATE
            51      9    05 AA-LIMIT S9(7)V99
            60      2    05 FILLER X(2)
            62      2    05 AA-COUNT S9(4) COMP
            64     15    05 AA-ACCOUNT x20 occurs 0 to 20 depending on AA-COUNT
            64      8      10 AA-ACC-NO X(8)
            72      6      10 AA-ACC-BAL S9(9)V99 COMP-3
            78      1      10 AA-ACC-TYPE X
        64 to 364 bytes
    "#]]
    .assert_eq(&layout.to_string());
}

#[test]
fn the_contract_is_what_a_reader_would_write() {
    expect![[r#"
        // Made from copybooks by passerelle. Change the copybook or its rules instead of this file.

        syntax = "proto3";

        package bank.accounts.v1;

        service AccountInquiry {
          rpc Inquire(InquireRequest) returns (InquireResponse);
        }

        // Record ACCT-AREA, 364 bytes at most.
        message InquireRequest {
          // AA-CUSTOMER-NO PIC 9(10), offset 6, length 10
          string customer_id = 1;
        }

        // Record ACCT-AREA, 364 bytes at most.
        message InquireResponse {
          // AA-CUSTOMER-NO PIC 9(10), offset 6, length 10
          string customer_id = 1;
          // AA-NAME PIC X(20), offset 16, length 20
          string name = 2;
          // AA-BALANCE PIC S9(11)V99 COMP-3, offset 36, length 7
          string balance = 3;
          // AA-RATE PIC S9(3)V9(4) SIGN LEADING SEPARATE, offset 43, length 8
          string rate = 4;
          // AA-LIMIT PIC S9(7)V99, offset 51, length 9
          string limit = 5;
          // AA-ACCOUNT OCCURS 0 TO 20 DEPENDING ON AA-COUNT, offset 64, length 15
          repeated Account accounts = 6;

          // Group AA-ACCOUNT, 15 bytes at most.
          message Account {
            // AA-ACCOUNT.AA-ACC-NO PIC X(8), offset 64, length 8
            string acc_no = 1;
            // AA-ACCOUNT.AA-ACC-BAL PIC S9(9)V99 COMP-3, offset 72, length 6
            string acc_bal = 2;
            // AA-ACCOUNT.AA-ACC-TYPE PIC X, offset 78, length 1
            AccountType acc_type = 3;

            enum AccountType {
              ACCOUNT_TYPE_UNSPECIFIED = 0;
              // ACC-SAVINGS
              ACCOUNT_TYPE_ACC_SAVINGS = 1;
              // ACC-CURRENT
              ACCOUNT_TYPE_ACC_CURRENT = 2;
            }
          }
        }
    "#]]
    .assert_eq(&contract(Lock::default()).1.proto_text);
}

#[test]
fn a_request_becomes_a_record() {
    let (copybook, contract) = contract(Lock::default());
    let codec =
        Codec::compile(copybook.record(None).unwrap(), contract.request("Inquire").unwrap(), &Encoding::default()).unwrap();
    let request = oracle::to_wire(&oracle::message(&contract, "InquireRequest"), &serde_json::json!({"customerId": "42"}));
    let record = codec.encode(&request).unwrap();
    expect![[r#"
        c9 d5 d8 f1 00 00 f0 f0 f0 f0 f0 f0 f0 f0 f4 f2 40 40 40 40
        40 40 40 40 40 40 40 40 40 40 40 40 40 40 40 40 00 00 00 00
        00 00 0c 4e f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 c0
        40 40 00 00"#]]
    .assert_eq(&hex(&record));
}

#[test]
fn a_record_becomes_a_response_and_back() {
    let (copybook, contract) = contract(Lock::default());
    let codec =
        Codec::compile(copybook.record(None).unwrap(), contract.response("Inquire").unwrap(), &Encoding::default()).unwrap();
    let json = serde_json::json!({
        "customerId": "0000000042",
        "name": "DUPONT CHLOÉ",
        "balance": "-12345.67",
        "rate": "1.2500",
        "limit": "-1500.00",
        "accounts": [
            {"accNo": "00000042", "accBal": "100.25", "accType": "ACCOUNT_TYPE_ACC_CURRENT"},
            {"accNo": "00000043", "accBal": "-99.75", "accType": "ACCOUNT_TYPE_ACC_SAVINGS"},
        ],
    });
    let record = codec.encode_json(&json).unwrap();
    expect![[r#"
        40 40 40 40 00 00 f0 f0 f0 f0 f0 f0 f0 f0 f4 f2 c4 e4 d7 d6
        d5 e3 40 c3 c8 d3 d6 71 40 40 40 40 40 40 40 40 00 00 00 12
        34 56 7d 4e f0 f0 f1 f2 f5 f0 f0 f0 f0 f0 f1 f5 f0 f0 f0 d0
        40 40 00 02 f0 f0 f0 f0 f0 f0 f4 f2 00 00 00 10 02 5c c3 f0
        f0 f0 f0 f0 f0 f4 f3 00 00 00 09 97 5d e2"#]]
    .assert_eq(&hex(&record));
    assert_eq!(codec.decode_json(&record).unwrap(), json);
    let descriptor = oracle::message(&contract, "InquireResponse");
    let message = codec.decode(&record).unwrap();
    assert_eq!(oracle::to_json(&descriptor, &message), json);
    assert_eq!(codec.encode(&oracle::to_wire(&descriptor, &json)).unwrap(), record);
}
