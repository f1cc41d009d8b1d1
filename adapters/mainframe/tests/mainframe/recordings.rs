//! Exchanges recorded from a host and played back without it.

use adapter_mainframe::Double;
use serde_json::json;

use super::bank::{Bank, HOSTS, Teller, Wallet, accounts, open};

#[tokio::test]
async fn what_was_recorded_is_played_back_without_the_host() {
    for host in HOSTS {
        let Bank { folder, double: real, teller: direct } = Bank::open(host).await;
        let ask = json!({ "customerId": "0000123456" });
        let expected = direct.call("InquireAccounts", ask.clone()).await.unwrap();

        let path = folder.write("record.yaml", "{ file: accounts.yaml, record: exchanges.yaml }");
        let recorder = Double::bind("127.0.0.1:0", &path, &Wallet).await.unwrap();
        let through = folder.write("through.yaml", &accounts(host, &recorder.local_addr().to_string()));
        let recorded = Teller::new(open(&through).await.unwrap());
        assert_eq!(recorded.call("InquireAccounts", ask.clone()).await.unwrap(), expected);
        recorder.shutdown().await;
        real.shutdown().await;

        let path = folder.write("replay.yaml", "{ file: accounts.yaml, replay: exchanges.yaml }");
        let player = Double::bind("127.0.0.1:0", &path, &Wallet).await.unwrap();
        let played = folder.write("played.yaml", &accounts(host, &player.local_addr().to_string()));
        let played = Teller::new(open(&played).await.unwrap());
        for _ in 0..2 {
            assert_eq!(played.call("InquireAccounts", ask.clone()).await.unwrap(), expected);
        }
        assert!(played.call("InquireAccounts", json!({ "customerId": "0000000001" })).await.is_err(), "it was not recorded");
    }
}

#[tokio::test]
async fn a_recording_that_is_none_is_refused_with_its_place() {
    let folder = super::bank::Folder::new();
    folder.write("accounts.yaml", &accounts(HOSTS[0], "127.0.0.1:1"));
    folder.write("exchanges.yaml", "exchanges:\n  - { operation: InquireAccounts, request: c9d, answer: c9 }\n");
    let path = folder.write("replay.yaml", "{ file: accounts.yaml, replay: exchanges.yaml }");
    let problem = Double::bind("127.0.0.1:0", &path, &Wallet).await.unwrap_err();
    expect_test::expect!["exchanges.yaml:2:5: request: write two hexadecimal digits a byte"]
        .assert_eq(&folder.anonymous(&problem.to_string()));
}
