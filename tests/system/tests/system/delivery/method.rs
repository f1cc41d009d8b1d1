//! Messages go to a method of a contract: its back office is away, loses its answers, throttles, refuses; the bus is killed.

use std::collections::BTreeSet;
use std::time::Duration;

use passerelle_peers::Run;
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::delivery_operations_client::DeliveryOperationsClient;
use passerelle_proto::bus::v1::{Delivery, ListDeadLettersRequest, ListDeliveriesRequest, Message};
use passerelle_system::{Daemon, World};
use tokio::time::timeout;
use tonic::Code;

use super::consumer::Consumer;
use super::ledger::{CONTRACT, Ledger, Manner, Server};
use super::publish;

/// Before what does not happen is called a hang.
const PATIENCE: Duration = Duration::from_secs(120);

fn world(server: &Server, method: &str, more: &str) -> World {
    World::default().file("ledger.proto", CONTRACT).settings(&format!(
        "endpoints:\n  ledger: {{ addresses: [\"http://{}\"], contract: {{ proto: [ledger.proto] }} }}\n\
         deliveries:\n  books:\n    to: {{ method: ledger.v1.Ledger/{method}, deadline_ms: 1000 }}\n    \
         retry: {{ attempts: 3, first_wait_ms: 10, longest_wait_ms: 100 }}\n{more}",
        server.address
    ))
}

/// Message number `number`, of one of that many customers.
fn entry(number: u64, customers: u64) -> Message {
    Message {
        id: number.to_string(),
        source: "/shop".to_owned(),
        r#type: "shop.paid".to_owned(),
        customer: format!("customer-{}", number % customers),
        data_content_type: "application/json".to_owned(),
        data: format!("{{\"number\": \"{number}\", \"text\": \"paid\"}}").into(),
        ..Message::default()
    }
}

async fn operations(daemon: &Daemon) -> DeliveryOperationsClient<tonic::transport::Channel> {
    DeliveryOperationsClient::connect(format!("http://{}", daemon.admin)).await.unwrap()
}

/// Waits until the delivery is as it should be.
async fn until(daemon: &Daemon, what: &str, is_so: impl Fn(&Delivery) -> bool) -> Delivery {
    let mut client = operations(daemon).await;
    let mut last = Delivery::default();
    let waiting = async {
        let mut turn = tokio::time::interval(Duration::from_millis(20));
        loop {
            turn.tick().await;
            last = client.list_deliveries(ListDeliveriesRequest {}).await.unwrap().into_inner().deliveries.remove(0);
            if is_so(&last) {
                return;
            }
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never is so that {what}"));
    last
}

/// Waits until so many messages are settled since the bus began.
async fn settled(daemon: &Daemon, count: u64) -> Delivery {
    let is_so = |delivery: &Delivery| delivery.delivered + delivery.repeated + delivery.dead >= count && delivery.lanes == 0;
    until(daemon, "all is settled", is_so).await
}

/// Ids and reasons of the messages that were given up.
async fn dead(daemon: &Daemon) -> Vec<(String, v1::DeadLetterReason, String)> {
    let request = ListDeadLettersRequest { page_size: 1_000, ..ListDeadLettersRequest::default() };
    let letters = operations(daemon).await.list_dead_letters(request).await.unwrap().into_inner().letters;
    let seen = letters.into_iter().map(|letter| {
        let letter = letter.letter.unwrap();
        let failure = letter.failures.last().unwrap().clone();
        (letter.message.unwrap().id, failure.reason(), failure.why)
    });
    seen.collect()
}

async fn operator(daemon: &Daemon, arguments: &[&str]) -> Run {
    let admin = format!("http://{}", daemon.admin);
    let arguments: Vec<String> = arguments.iter().copied().chain(["--admin", &admin]).map(str::to_owned).collect();
    let run = move || World::default().run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_called_with_its_envelope_and_what_does_not_fit_is_a_dead_letter() {
    let ledger = Ledger::new(true);
    let server = ledger.serve("127.0.0.1:0").await;
    let daemon = world(&server, "Book", "").serve();
    let mut misfit = entry(2, 1);
    misfit.data = "{\"number\": \"Mr Smith\"}".into();
    let mut foreign = entry(3, 1);
    foreign.data_content_type = "application/protobuf".to_owned();
    foreign.data_schema = "shop.v1.Basket".to_owned();
    publish(&daemon, [entry(1, 1), misfit, foreign].into_iter()).await;
    let last = settled(&daemon, 3).await;
    assert_eq!((last.to.as_str(), last.delivered, last.dead), ("ledger.v1.Ledger/Book", 1, 2));
    let seen: Vec<_> = {
        let book = ledger.book();
        let (headers, message) = &book.calls[0];
        assert_eq!(message, &b"\x08\x01\x12\x04paid"[..]);
        assert!(headers["idempotency-key"].to_str().unwrap().starts_with("books-"));
        let names = ["ce-id", "ce-source", "ce-type", "passerelle-customer", "passerelle-attempt"];
        names.iter().map(|name| headers[*name].to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(seen, ["1", "/shop", "shop.paid", "customer-0", "1"]);
    let mut letters = letters(&daemon, 2).await;
    letters.sort();
    let said: Vec<_> = letters.iter().map(|(id, _, why)| (id.as_str(), why.as_str())).collect();
    let misfit = "its JSON does not fit ledger.v1.Entry at line 1, column 21";
    assert_eq!(said, [("2", misfit), ("3", "its data is said to be shop.v1.Basket, the method takes ledger.v1.Entry")]);
    assert!(letters.iter().all(|(_, reason, _)| *reason == v1::DeadLetterReason::Rejected));

    let refused = Consumer::join(&daemon.address(), "books", 1).await.err().expect("it is not for consumers");
    let why = "delivery: its messages go to ledger.v1.Ledger/Book, not to consumers";
    assert_eq!((refused.code(), refused.message()), (Code::FailedPrecondition, why));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_office_that_was_away_gets_everything_in_order_and_once() {
    const MESSAGES: u64 = 2_000;
    let ledger = Ledger::new(true);
    let server = ledger.serve("127.0.0.1:0").await;
    let daemon = world(&server, "Put", "").serve();
    publish(&daemon, (0..MESSAGES).map(|number| entry(number, 37))).await;
    ledger.called(MESSAGES as usize / 10).await;
    let address = server.address.to_string();
    drop(server);
    let away = until(&daemon, "it is away", |delivery| delivery.absence.is_some()).await;
    assert!(away.delivered < MESSAGES);
    let shown = operator(&daemon, &["lanes"]).await.stdout;
    assert!(shown.contains("books is away: UNAVAILABLE: back office ledger"), "{shown}");
    let _server = ledger.serve(&address).await;
    let last = settled(&daemon, MESSAGES).await;
    assert_eq!((last.dead, last.absence), (0, None));
    let book = ledger.book();
    assert_eq!(book.effects.len() as u64, MESSAGES);
    assert!(book.effects.values().all(|times| *times == 1));
    assert!(book.overtaken().is_empty(), "{:?}", book.overtaken());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_a_dead_letter_where_the_method_must_not_be_called_twice() {
    let ledger = Ledger::new(false);
    let server = ledger.serve("127.0.0.1:0").await;
    let daemon = world(&server, "Book", "").serve();
    ledger.be(Manner::BooksAndHangsUp);
    publish(&daemon, [entry(1, 1)].into_iter()).await;
    ledger.called(1).await;
    ledger.be(Manner::Books);
    publish(&daemon, [entry(2, 1)].into_iter()).await;
    settled(&daemon, 2).await;
    let letters = letters(&daemon, 1).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    let (id, reason, why) = &letters[0];
    assert_eq!((id.as_str(), *reason), ("1", v1::DeadLetterReason::Undecided));
    assert!(why.contains("back office ledger broke the call off"), "{why}");
    let listed = operator(&daemon, &["dead", "list", "--reason", "undecided"]).await.stdout;
    assert!(listed.contains("undecided"), "{listed}");
    // A person has looked: it is to be sent again, whatever was known of it.
    let replayed = operator(&daemon, &["dead", "replay", "--all", "--reason", "undecided"]).await;
    assert!(replayed.status.success(), "{replayed:?}");
    ledger.called(3).await;
    assert_eq!(ledger.book().effects["1"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_throttles_or_refuses_is_obeyed_and_order_is_kept() {
    let ledger = Ledger::new(true);
    let server = ledger.serve("127.0.0.1:0").await;
    let daemon = world(&server, "Put", "").serve();
    ledger.be(Manner::Says { code: 8, pushback: Some("30") });
    publish(&daemon, (0..20).map(|number| entry(number, 4))).await;
    // More often than a message has attempts.
    ledger.called(20).await;
    ledger.be(Manner::Books);
    assert_eq!(settled(&daemon, 20).await.dead, 0);
    assert!(ledger.book().overtaken().is_empty());
    ledger.be(Manner::Says { code: 9, pushback: None });
    publish(&daemon, [entry(20, 4)].into_iter()).await;
    let last = settled(&daemon, 21).await;
    assert_eq!(last.dead, 1);
    assert_eq!(letters(&daemon, 1).await[0].2, "the back office answered FAILED_PRECONDITION");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_office_that_hangs_is_left_alone_until_it_answers() {
    const MESSAGES: u64 = 500;
    let ledger = Ledger::new(true);
    let server = ledger.serve("127.0.0.1:0").await;
    ledger.be(Manner::Hangs);
    let daemon = world(&server, "Put", "").serve();
    publish(&daemon, (0..MESSAGES).map(|number| entry(number, MESSAGES))).await;
    until(&daemon, "it is away", |delivery| delivery.absence.is_some()).await;
    let calls = ledger.book().calls.len();
    ledger.be(Manner::Books);
    let last = settled(&daemon, MESSAGES).await;
    eprintln!("{calls} calls before it was left alone, {} dead letters", last.dead);
    assert_eq!((last.delivered, last.dead), (MESSAGES, 0));
    assert_eq!(ledger.book().effects.len() as u64, MESSAGES);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_sent_again_in_the_order_in_which_they_were_published() {
    let ledger = Ledger::new(true);
    let server = ledger.serve("127.0.0.1:0").await;
    let daemon = world(&server, "Book", "").serve();
    ledger.be(Manner::Says { code: 9, pushback: None });
    let mut other = entry(100, 2);
    other.r#type = "shop.cancelled".to_owned();
    publish(&daemon, (0..20).map(|number| entry(number, 2)).chain([other])).await;
    letters(&daemon, 21).await;
    ledger.be(Manner::Books);
    let replayed = operator(&daemon, &["dead", "replay", "--all", "--delivery", "books", "--type", "shop.pai*"]).await;
    assert!(replayed.status.success(), "{replayed:?}");
    ledger.called(21 + 20).await;
    assert_eq!(ledger.book().order.values().map(Vec::len).collect::<Vec<_>>(), [10, 10]);
    assert!(ledger.book().overtaken().is_empty(), "{:?}", ledger.book().order);
    let left = operator(&daemon, &["dead", "list", "--type", "shop.cancelled"]).await.stdout;
    assert_eq!(left.lines().count(), 2, "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_has_no_second_effect_whoever_publishes_it_again() {
    let ledger = Ledger::new(false);
    let server = ledger.serve("127.0.0.1:0").await;
    // The journal itself knows none again.
    let mut daemon = world(&server, "Book", "journal: { dedupe_keys: 0 }\n").serve();
    for round in 0..3 {
        publish(&daemon, (0..40).map(|number| entry(number, 7))).await;
        let last = settled(&daemon, 40).await;
        // Those that a kill found before their passing over was written down are passed over once more.
        assert!(if round == 0 { last.repeated == 0 } else { last.repeated >= 40 }, "{last:?}");
        let book = ledger.book();
        assert_eq!((book.effects.len(), book.calls.len()), (40, 40), "round {round}");
        drop(book);
        daemon = daemon.kill().serve();
    }
}

/// As many letters as there are to be: the list follows the journal.
async fn letters(daemon: &Daemon, count: usize) -> Vec<(String, v1::DeadLetterReason, String)> {
    let listed = async {
        let mut turn = tokio::time::interval(Duration::from_millis(20));
        loop {
            turn.tick().await;
            let letters = dead(daemon).await;
            if letters.len() >= count {
                return letters;
            }
        }
    };
    timeout(PATIENCE, listed).await.expect("dead letters are listed")
}

/// Messages that had their effect, or were given up.
async fn known(ledger: &Ledger, daemon: &Daemon) -> u64 {
    let mut ids: BTreeSet<String> = dead(daemon).await.into_iter().map(|(id, _, _)| id).collect();
    ids.extend(ledger.book().effects.keys().cloned());
    ids.len() as u64
}

/// Kills the bus again and again while it delivers.
async fn storm(ledger: &Ledger, method: &str, messages: u64) -> Daemon {
    let server = ledger.serve("127.0.0.1:0").await;
    let mut daemon = world(&server, method, "").serve();
    publish(&daemon, (0..messages).map(|number| entry(number, 97))).await;
    for round in 1..8 {
        timeout(PATIENCE, ledger.called(messages as usize * round / 8)).await.expect("calls go on");
        daemon = daemon.kill().serve();
    }
    let mut client = operations(&daemon).await;
    let all = async {
        let mut turn = tokio::time::interval(Duration::from_millis(20));
        while known(ledger, &daemon).await < messages
            || client.list_deliveries(ListDeliveriesRequest {}).await.unwrap().get_ref().deliveries[0].lanes > 0
        {
            turn.tick().await;
        }
    };
    timeout(PATIENCE, all).await.expect("all messages become effects or dead letters");
    drop(server);
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn every_effect_happens_once_through_kills() {
    const MESSAGES: u64 = 4_000;
    let ledger = Ledger::new(true);
    let daemon = storm(&ledger, "Put", MESSAGES).await;
    let letters = dead(&daemon).await;
    assert!(letters.is_empty(), "{letters:?}");
    let book = ledger.book();
    eprintln!("{} calls for {MESSAGES} messages", book.calls.len());
    assert_eq!(book.effects.len() as u64, MESSAGES);
    assert!(book.overtaken().is_empty(), "{:?}", book.overtaken());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_effect_happens_twice_through_kills_where_the_back_office_knows_no_keys() {
    const MESSAGES: u64 = 2_000;
    let ledger = Ledger::new(false);
    let daemon = storm(&ledger, "Book", MESSAGES).await;
    let letters = dead(&daemon).await;
    let book = ledger.book();
    let twice: Vec<_> = book.effects.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let undecided = letters.iter().filter(|(_, reason, _)| *reason == v1::DeadLetterReason::Undecided).count();
    assert_eq!(undecided, letters.len(), "{letters:?}");
    eprintln!("{} effects of {MESSAGES} messages, {undecided} undecided", book.effects.len());
    for number in 0..MESSAGES {
        let id = number.to_string();
        assert!(book.effects.contains_key(&id) || letters.iter().any(|(letter, _, _)| *letter == id), "{id} is lost");
    }
    assert!(book.overtaken().is_empty(), "{:?}", book.overtaken());
}
