//! What a contract declares personal never leaves the bus; and the twin of such a recording speaks with the caller's own values.

use passerelle_peers::python::Disputes;
use passerelle_system::Contract;
use serde_json::{Value, json};
use tonic::Code;

use super::{CONTRACT, Recorder, Twin, before, calls, kept};

const OPEN: &str = "/bank.disputes.v1.CardDisputes/Open";
const SECRETS: [&str; 3] = ["4970-1234-5678-9012", "never received it, says Jean", "4970-8888-0000-1111"];

/// Cards and reasons are personal, wherever they stand.
fn declared(contract: String) -> String {
    let contract = contract.replace("string card_token = 1;", "string card_token = 1 [debug_redact = true];");
    contract.replace("string reason = 3;", "string reason = 3 [debug_redact = true];")
}

fn dispute(contract: &Contract, card: &str, amount: i64, reason: &str) -> bytes::Bytes {
    contract.encode("bank.disputes.v1.OpenRequest", &json!({ "cardToken": card, "amountCents": amount, "reason": reason }))
}

#[tokio::test]
async fn personal_values_stay_in_the_bus_and_the_twin_echoes_the_callers() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = before(&disputes, declared);
    let contract = Contract::compile(&Disputes::contract());
    let mut recorder = Recorder::start(&daemon, CONTRACT, &[]);
    let client = daemon.client();
    let mut seen = Vec::new();
    for (card, amount) in [(SECRETS[0], 4200), (SECRETS[2], 999)] {
        let answer = client.call(OPEN, dispute(&contract, card, amount, SECRETS[1])).await.unwrap();
        seen.push(contract.decode("bank.disputes.v1.Dispute", answer));
    }
    client.call(OPEN, dispute(&contract, SECRETS[0], 0, SECRETS[1])).await.unwrap_err();
    recorder.until("has three calls", |text| text.lines().count() == 4);
    let mut recording = std::fs::read_to_string(recorder.file()).unwrap();
    // SIGKILL; and as if it had come in the middle of a line.
    drop(recorder);
    let (_world, file) = {
        for secret in SECRETS {
            assert!(!recording.contains(secret), "{recording}");
        }
        let all = calls(&recording);
        assert_eq!(all[0]["requests"][0]["reason"], all[0]["answers"][0]["message"]["reason"], "equal values stay equal");
        assert_eq!(all[0]["requests"][0]["reason"], all[1]["requests"][0]["reason"]);
        assert_eq!(all[2]["status"]["code"], "INVALID_ARGUMENT");
        assert_eq!(all[2]["status"].get("message"), None::<&Value>, "the text of an outcome may hold anything");
        recording.push_str("{\"method\":\"bank.disputes.v1.CardDisputes/Op");
        kept(&recording)
    };
    let twin = Twin::start(&file, &[]);
    let bus = twin.behind_a_bus();
    bus.client().wait_until_known(OPEN).await;
    let client = bus.client();
    for (card, amount, seen) in [(SECRETS[0], 4200, &seen[0]), ("another card", 999, &seen[1])] {
        let answer = client.call(OPEN, dispute(&contract, card, amount, SECRETS[1])).await.unwrap();
        assert_eq!(&contract.decode("bank.disputes.v1.Dispute", answer), seen, "{card}");
    }
    let status = client.call(OPEN, dispute(&contract, "x", 0, "y")).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let status = client.call(OPEN, dispute(&contract, SECRETS[0], 4201, SECRETS[1])).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().ends_with("differs in amount_cents"), "{status:?}");
    assert!(SECRETS.iter().all(|secret| !twin.process.log().contains(secret)));
}
