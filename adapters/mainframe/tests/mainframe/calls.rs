//! Calls over every transport: answers, refusals, faults, deadlines, health, drain.

use std::time::Duration;

use expect_test::{Expect, expect};
use passerelle_adapter::{Call, Context, Fault, Health, Messages};
use serde_json::{Value, json};

use super::bank::{Bank, HOSTS};

fn text(result: &Result<Value, Fault>, bank: &Bank) -> String {
    match result {
        Ok(answer) => serde_json::to_string(answer).unwrap(),
        Err(fault) => format!("{fault:?}").replace(&bank.double.local_addr().to_string(), "HOST"),
    }
}

#[tokio::test]
async fn answers_come_whole_over_every_transport() {
    for host in HOSTS {
        let bank = Bank::open(host).await;
        let answer = bank.teller.call("InquireAccounts", json!({ "customerId": "0000123456" })).await;
        expect![[r#"{"customerId":"0000123456","name":"DUPONT CHLOÉ","balance":"-12345.67","rate":"1.2500","limit":"-1500.00","accounts":[{"number":"00123456","amount":"-99.75","type":"ACCOUNT_TYPE_CHECKING"},{"number":"00123457","amount":"0.50","type":"ACCOUNT_TYPE_SAVINGS"}]}"#]].assert_eq(&text(&answer, &bank));
        let answer = bank.teller.call("InquireAccounts", json!({ "customerId": "0000000001" })).await;
        expect![[r#"{"customerId":"0000000001","name":"WITHOUT ACCOUNTS","balance":"0.00","rate":"0.0000","limit":"0.00","accounts":[]}"#]].assert_eq(&text(&answer, &bank));
        let answer = bank.teller.call("CloseAccount", json!({ "customer": 12 })).await;
        expect![[r#"{"customer":"12","balance":"7.00"}"#]].assert_eq(&text(&answer, &bank));
    }
}

#[tokio::test]
async fn refusals_and_faults_have_their_class() {
    let ask = |customer: &'static str| json!({ "customerId": customer });
    for host in HOSTS {
        let bank = Bank::open(host).await;
        let check = async |customer, expected: Expect| {
            expected.assert_eq(&text(&bank.teller.call("InquireAccounts", ask(customer)).await, &bank));
        };
        check("0000000008", expect![[r#"Rejected { reason: Invalid, message: "the function is unknown" }"#]]).await;
        check("0000000404", expect![[r#"Rejected { reason: NotFound, message: "no such customer" }"#]]).await;
        check(
            "0000000009",
            expect![[
                r#"Rejected { reason: Precondition, message: "the host refused: AA-RETURN-CODE < 0 and AA-REASON != \"BSY\"" }"#
            ]],
        )
        .await;
        check("0000000010", expect![[r#"Throttled { retry_after: 1s, message: "the host is busy" }"#]]).await;
        check("12345678901", expect![[r#"Rejected { reason: Invalid, message: "AA-CUSTOMER at offset 9, 10 bytes: too large for the 10 digits of its picture" }"#]]).await;
        check("ABC", expect![[r#"Rejected { reason: Invalid, message: "AA-CUSTOMER at offset 9, 10 bytes: not a decimal number: write it like -12345.67" }"#]]).await;
        for (customer, on_ims) in
            [("0000000666", "Rejected { reason: Conflict"), ("0000000667", "Unknown"), ("0000000668", "Unknown")]
        {
            let fault = text(&bank.teller.call("InquireAccounts", ask(customer)).await, &bank);
            let expected = if host.contains("ims_connect") { on_ims } else { "Unknown" };
            assert!(fault.starts_with(expected), "{customer}: {fault}");
        }
    }
}

#[tokio::test]
async fn a_slow_host_is_not_waited_for_longer_than_the_caller_or_the_operation_says() {
    let check = async |host| {
        let bank = Bank::open(host).await;
        let slow = json!({ "customerId": "0000000669" });
        let hurried = bank.teller.call_within("InquireAccounts", slow, Some(Duration::from_millis(50))).await;
        assert!(matches!(hurried, Err(Fault::DeadlineExceeded { .. })), "{hurried:?}");
        let patient = bank.teller.call_within("CloseAccount", json!({ "customer": 1 }), Some(Duration::from_secs(60))).await;
        assert!(matches!(patient, Err(Fault::DeadlineExceeded { .. })), "{patient:?}");
        let late = bank.teller.call_within("CloseAccount", json!({ "customer": 3 }), Some(Duration::ZERO)).await;
        expect![[r#"DeadlineExceeded { message: "the deadline had passed before the host was asked" }"#]]
            .assert_eq(&text(&late, &bank));
        assert!(bank.teller.call("CloseAccount", json!({ "customer": 3 })).await.is_ok());
    };
    futures_util::future::join_all(HOSTS.map(check)).await;
}

#[tokio::test]
async fn many_calls_at_a_time_each_get_their_own_answer() {
    for host in HOSTS {
        let bank = Bank::open(host).await;
        let calls = (0..1000).map(|number| {
            let customer = format!("{:010}", 5_000_000 + number);
            let teller = &bank.teller;
            async move { (customer.clone(), teller.call("InquireAccounts", json!({ "customerId": customer })).await) }
        });
        for (customer, answer) in futures_util::future::join_all(calls).await {
            let answer = answer.unwrap();
            assert_eq!((answer["customerId"].as_str(), answer["name"].as_str()), (Some(customer.as_str()), Some("ANYBODY")));
        }
    }
}

#[tokio::test]
async fn what_is_not_served_or_not_unary_is_refused() {
    let bank = Bank::open(HOSTS[0]).await;
    let call = |method: &str, messages| Call { method: method.into(), messages, context: Context::default() };
    let unknown = bank.teller.adapter.call(call("bank.accounts.v1.Accounts/Open", Messages::one(""))).await.unwrap_err();
    expect![[r#"Unimplemented { message: "bank.accounts.v1.Accounts/Open is not served here, these are: bank.accounts.v1.Accounts/CloseAccount, bank.accounts.v1.Accounts/InquireAccounts" }"#]].assert_eq(&format!("{unknown:?}"));
    let none = Messages::many(futures_util::stream::empty());
    let nothing = bank.teller.adapter.call(call("bank.accounts.v1.Accounts/CloseAccount", none)).await.unwrap_err();
    assert!(matches!(nothing, Fault::Rejected { .. }));
    let garbage = Messages::one(&b"\xff\xff\xff"[..]);
    let garbage = bank.teller.adapter.call(call("bank.accounts.v1.Accounts/CloseAccount", garbage)).await.unwrap_err();
    expect![[
        r#"Rejected { reason: Invalid, message: "ACCOUNTS-AREA: not a protobuf message: the message ends inside a number" }"#
    ]]
    .assert_eq(&format!("{garbage:?}"));
}

#[tokio::test]
async fn health_follows_the_host_and_drain_ends_the_calls() {
    let Bank { double, teller, folder: _folder } = Bank::open(HOSTS[2]).await;
    assert_eq!(teller.adapter.health().await, Health::Ready);
    teller.call("CloseAccount", json!({ "customer": 3 })).await.unwrap();
    let address = double.local_addr().to_string();
    double.shutdown().await;
    let Health::Down { reason } = teller.adapter.health().await else { panic!() };
    expect!["paris: HOST: Connection refused (os error 111)"].assert_eq(&reason.replace(&address, "HOST"));
    let gone = teller.call("CloseAccount", json!({ "customer": 3 })).await;
    assert!(matches!(gone, Err(Fault::Unavailable { .. })), "{gone:?}");

    teller.adapter.drain(Duration::from_secs(10)).await;
    let drained = teller.call("CloseAccount", json!({ "customer": 3 })).await.unwrap_err();
    expect![[r#"Unavailable { retry_after: None, message: "the adapter is draining" }"#]].assert_eq(&format!("{drained:?}"));
}

#[tokio::test]
async fn drain_waits_for_calls_in_flight_but_not_for_ever() {
    let bank = Bank::open(HOSTS[0]).await;
    let slow = json!({ "customerId": "0000000669" });
    let mut call = Box::pin(bank.teller.call("InquireAccounts", slow));
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut call).await.is_err());
    let began = std::time::Instant::now();
    bank.teller.adapter.drain(Duration::from_millis(30)).await;
    assert!(began.elapsed() >= Duration::from_millis(30));
    drop(call);
    bank.teller.adapter.drain(Duration::from_secs(60)).await;
    assert!(began.elapsed() < Duration::from_secs(30));
}
