//! Calls that go where their content says, while the routes are changed under them.

mod office;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use passerelle_system::{Client, Contract, Daemon, World};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tonic::{Code, Request};

use self::office::{CONTRACT, Office};

const ASK: &str = "/desk.v1.Desk/Ask";

fn world(north: &Office, south: &Office, routes: &str) -> World {
    let (north, south) = (north.address, south.address);
    World::default().file("desk.proto", CONTRACT).file("routes/desk.yaml", routes).settings(&format!(
        "routes: routes\nendpoints:\n  north: {{ addresses: [\"http://{north}\"], contract: {{ proto: [desk.proto] }} }}\n  \
         south: {{ addresses: [\"http://{south}\"] }}\n"
    ))
}

fn contract(daemon: &Daemon) -> Contract {
    Contract::compile(&daemon.path("desk.proto"))
}

async fn ask(client: &Client, contract: &Contract, asked: &Value, metadata: &[(&'static str, &str)]) -> Value {
    let mut request = Request::new(contract.encode("desk.v1.Asked", asked));
    for (key, value) in metadata {
        request.metadata_mut().insert(*key, value.parse().unwrap());
    }
    contract.decode("desk.v1.Told", client.send(ASK, request).await.unwrap())
}

/// A command of `passerelle` for this daemon's operators.
async fn operate(daemon: &Daemon, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(passerelle_system::passerelle());
    command.arg("route").args(arguments).arg("--admin").arg(format!("http://{}", daemon.admin));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

const ROUTES: &str = "
from: desk.v1.Desk/Ask
routes:
  - name: gold
    when: request.customer.segment = \"gold\"
    to: { endpoint: south }
    drop: [secret, customer.birth_date]
  - name: branch
    when: channel = \"branch\" and request.amount >= 1000
    to: { endpoint: south, method: desk.v1.Desk/Tell }
  - name: audited
    when: metadata.x-audit = \"yes\"
    also: [{ endpoint: south }]
    drop: [secret]
";

#[tokio::test]
async fn calls_go_where_their_content_says() {
    let (north, mut south) = (Office::start("north").await, Office::start("south").await);
    let daemon = world(&north, &south, ROUTES).serve();
    let (client, contract) = (daemon.client(), contract(&daemon));
    let gold = json!({"name": "n", "customer": {"segment": "gold", "birth_date": "1990-01-01"}, "secret": "s"});
    let told = ask(&client, &contract, &gold, &[]).await;
    let less = json!({"name": "n", "amount": "0", "customer": {"segment": "gold", "birthDate": ""}, "secret": ""});
    assert_eq!((&told["office"], &told["asked"]), (&json!("south"), &less));

    let large = json!({"amount": 1000});
    let told = ask(&client, &contract, &large, &[("passerelle-channel", "branch")]).await;
    assert_eq!((&told["office"], &told["method"]), (&json!("south"), &json!("/desk.v1.Desk/Tell")));
    assert_eq!(ask(&client, &contract, &large, &[("passerelle-channel", "web")]).await["office"], "north");

    // Who is told gets a copy, and the caller hears the other one.
    let secret = json!({"name": "audit", "secret": "s"});
    let told = ask(&client, &contract, &secret, &[("x-audit", "yes")]).await;
    assert_eq!((&told["office"], &told["asked"]["secret"]), (&json!("north"), &json!("")));
    let seen = south.seen(3).await;
    assert_eq!(contract.decode("desk.v1.Asked", seen[2].clone())["name"], "audit");

    // What is no message never leaves the bus where routes have to look into it.
    let refused = client.call(ASK, &b"\x1a\x05gold"[..]).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("malformed: a field is longer than what is left (at byte 2)"), "{}", refused.message());
    assert!(!daemon.log().contains("gold"), "nothing of a request is logged");
}

/// All calls go to one office, or to the other.
fn all_to(office: &str) -> String {
    format!("from: desk.v1.Desk/Ask\nroutes:\n  - name: all\n    when: request.amount >= 0\n    to: {{ endpoint: {office} }}\n")
}

#[tokio::test]
async fn routes_are_replaced_under_load_and_no_call_fails() {
    let (north, mut south) = (Office::start("north").await, Office::start("south").await);
    let daemon = world(&north, &south, &all_to("north")).serve();
    let contract = Arc::new(contract(&daemon));
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for _ in 0..8 {
        let (client, contract, stop, calls) = (daemon.client(), contract.clone(), stop.clone(), calls.clone());
        load.spawn(async move {
            let mut offices = [0, 0];
            while !stop.load(Ordering::Relaxed) {
                let told = ask(&client, &contract, &json!({"amount": 1}), &[]).await;
                offices[usize::from(told["office"] == "south")] += 1;
                calls.fetch_add(1, Ordering::Relaxed);
            }
            offices
        });
    }
    let client = daemon.client();
    for round in 0..6 {
        let office = ["south", "north"][round % 2];
        std::fs::write(daemon.path("routes/desk.yaml"), all_to(office)).unwrap();
        let (done, text) = operate(&daemon, &["reload"]).await;
        assert!(done && text.starts_with(&format!("reloaded: version {} (", round + 2)), "{text}");
        assert_eq!(ask(&client, &contract, &json!({"amount": 1}), &[]).await["office"], office, "from then on, all of them");
        let before = calls.load(Ordering::Relaxed);
        while calls.load(Ordering::Relaxed) < before + 50 {
            tokio::task::yield_now().await;
        }
    }
    // A call that is under way ends where it began.
    let begun = south.seen(0).await.len();
    std::fs::write(daemon.path("routes/desk.yaml"), all_to("south")).unwrap();
    assert!(operate(&daemon, &["reload"]).await.0);
    stop.store(true, Ordering::Relaxed);
    let offices = load.join_all().await;
    assert!(offices.iter().all(|[north, south]| *north > 0 && *south > 0), "{offices:?}");
    south.open.send_replace(false);
    let answered = south.seen(begun).await.len();
    let (caller, words) = (daemon.client(), contract.clone());
    let waiting = tokio::spawn(async move { ask(&caller, &words, &json!({"name": "slow"}), &[]).await });
    south.seen(answered + 1).await;
    std::fs::write(daemon.path("routes/desk.yaml"), all_to("north")).unwrap();
    assert!(operate(&daemon, &["reload"]).await.0);
    assert_eq!(ask(&client, &contract, &json!({}), &[]).await["office"], "north");
    south.open.send_replace(true);
    assert_eq!(waiting.await.unwrap()["office"], "south");
}

#[tokio::test]
async fn a_bad_set_is_refused_whole_and_a_good_one_can_be_gone_back_on() {
    let (north, south) = (Office::start("north").await, Office::start("south").await);
    let daemon = world(&north, &south, &all_to("north")).serve();
    let (client, contract) = (daemon.client(), contract(&daemon));
    let office = async || ask(&client, &contract, &json!({}), &[]).await["office"].clone();
    let listed = async || operate(&daemon, &["list"]).await.1;
    let first = listed().await;
    assert!(first.starts_with("version 1 (") && first.contains("all    desk.v1.Desk/Ask  request.amount >= 0  north"), "{first}");

    // A file that would do, and one that does not: neither is taken.
    std::fs::write(daemon.path("routes/desk.yaml"), all_to("south")).unwrap();
    let bad = "from: desk.v1.Desk/Ask\nroutes:\n  - name: bad\n    when: request.amont > 3\n";
    std::fs::write(daemon.path("routes/more.yaml"), bad).unwrap();
    let (done, text) = operate(&daemon, &["reload"]).await;
    assert!(!done && text.contains("routes/more.yaml:4:11: route bad: desk.v1.Asked has no field `amont`"), "{text}");
    assert!(text.contains("P0028"), "{text}");
    assert_eq!((office().await, listed().await), (json!("north"), first));

    std::fs::remove_file(daemon.path("routes/more.yaml")).unwrap();
    let (done, text) = operate(&daemon, &["reload", "--dry-run"]).await;
    assert!(done && text.starts_with("would be reloaded: version 2 ("), "{text}");
    assert_eq!(office().await, "north");
    daemon.hang_up();
    let taken = async {
        while office().await != "south" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), taken).await.expect("SIGHUP reloads");
    let (done, text) = operate(&daemon, &["reload"]).await;
    assert!(done && text.starts_with("nothing changed: version 2 ("), "{text}");
    let (done, text) = operate(&daemon, &["rollback"]).await;
    assert!(done && text.starts_with("rolled back: version 3 ("), "{text}");
    assert_eq!(office().await, "north");
}

const CASES: &str = "
cases:
  - name: gold customers go south
    method: desk.v1.Desk/Ask
    request: { customer: { segment: gold } }
    expect: gold
  - name: large amounts of the branch
    method: desk.v1.Desk/Ask
    metadata: { passerelle-channel: branch }
    request: { amount: 1000 }
    expect: [branch]
  - name: small amounts of the branch
    method: desk.v1.Desk/Ask
    metadata: { passerelle-channel: branch }
    request: { amount: 999 }
    expect: []
";

#[tokio::test]
async fn routes_are_tried_without_a_running_bus() {
    let (north, south) = (Office::start("north").await, Office::start("south").await);
    let world = world(&north, &south, ROUTES).file("routes/desk.cases.yaml", CASES);
    let run = world.run(&["route", "test"]);
    assert_eq!((run.status.code(), run.stdout.as_str()), (Some(0), "3 routes, 3 cases hold, 0 do not\n"), "{run:?}");
    let run = world.run(&["check"]);
    assert!(run.status.success() && run.stdout.contains("3 routes, 3 cases hold\n"), "{run:?}");
    let run =
        world.run(&["route", "explain", "desk.v1.Desk/Ask", "{\"customer\": {\"segment\": \"gold\"}}", "-m", "x-audit=yes"]);
    expect_test::expect![[r#"
        gold     routes/desk.yaml:4:11   takes the call                         -> south
        branch   routes/desk.yaml:8:11   its condition does not hold
        audited  routes/desk.yaml:11:11  would take it, but one before it does
    "#]]
    .assert_eq(&run.stdout);

    let world = world.file("routes/desk.cases.yaml", &CASES.replace("amount: 999", "amount: 2000"));
    let run = world.run(&["route", "test"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(
        run.stdout
            .starts_with("routes/desk.cases.yaml:12:11: small amounts of the branch: taken by branch, expected is no route\n"),
        "{run:?}"
    );
}

const TREATED: &str = "
from: desk.v1.Desk/Ask
routes:
  - name: treatment
    decide:
      model: treatment.dmn
      decision: Treatment
      output: basket
      inputs: { customerValue: request.customer.segment, reason: reason, channel: channel, contacts7d: request.amount }
    choices:
      retention: { endpoint: south }
      senior claims: { endpoint: south, method: desk.v1.Desk/Tell }
      advisers: { endpoint: south }
      complaints: { endpoint: south }
      claims: { endpoint: south }
      self service: { endpoint: north }
      sales: { endpoint: north }
";

/// The sample's table of treatments decides, and it is told why; a choice that no rule says is refused before a call comes.
#[tokio::test]
async fn a_decision_table_chooses_where_calls_go() {
    let (north, south) = (Office::start("north").await, Office::start("south").await);
    let model = include_str!("../../../../../deploy/sample/decisions/treatment/treatment.dmn");
    let world = world(&north, &south, TREATED).file("routes/treatment.dmn", model);
    let metadata = ["-m", "passerelle-reason=complaint", "-m", "passerelle-channel=web"];
    let asked = "{\"customer\": {\"segment\": \"gold\"}, \"amount\": 1}";
    let run = world.run(&[&["route", "explain", "desk.v1.Desk/Ask", asked][..], &metadata].concat());
    assert!(run.stdout.contains("takes the call: Treatment says \"retention\" by rule 1  -> south"), "{run:?}");

    let daemon = world.serve();
    let (client, contract) = (daemon.client(), contract(&daemon));
    let cases = [
        ("gold", "complaint", "south"),
        ("gold", "claim", "south"),
        ("standard", "order", "north"),
        ("silver", "information", "north"),
    ];
    for (segment, reason, office) in cases {
        let asked = json!({"customer": {"segment": segment}});
        let metadata = [("passerelle-reason", reason), ("passerelle-channel", "web")];
        assert_eq!(ask(&client, &contract, &asked, &metadata).await["office"], office, "{segment} {reason}");
    }

    let wrong = TREATED.replace("retention:", "retentoin:");
    std::fs::write(daemon.path("routes/desk.yaml"), wrong).unwrap();
    let (done, text) = operate(&daemon, &["reload"]).await;
    assert!(!done && text.contains("says \"retention\", for which `choices` has no destination"), "{text}");
}
