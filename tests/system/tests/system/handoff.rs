//! A matter offered on the web is resumed in the branch; the daemon is killed in the middle, and who lost the matter stays fenced off.

use std::time::Duration;

use passerelle_proto::customer::v1::handoff::Status;
use passerelle_proto::customer::v1::handoffs_client::HandoffsClient;
use passerelle_proto::customer::v1::{
    GetHandoffRequest, HandoffContext, IssueCodeRequest, OfferRequest, ProgressRequest, ResumeRequest,
};
use passerelle_system::{Daemon, World};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

/// What a scene waits for at most before it calls something a hang.
const PATIENCE: Duration = Duration::from_secs(30);

async fn client(daemon: &Daemon) -> HandoffsClient<Channel> {
    HandoffsClient::new(Endpoint::from_shared(daemon.address()).unwrap().connect().await.unwrap())
}

fn known(answers: &[(&str, &str)]) -> Option<HandoffContext> {
    Some(HandoffContext { answers: answers.iter().map(|(q, a)| ((*q).to_owned(), (*a).to_owned())).collect() })
}

fn resume(code: &str, channel: &str, key: &str) -> ResumeRequest {
    ResumeRequest {
        idempotency_key: key.to_owned(),
        code: code.to_owned(),
        channel: channel.to_owned(),
        owner: "anna".to_owned(),
    }
}

fn progress(id: &str, fence: u64, revision: u64) -> ProgressRequest {
    ProgressRequest {
        idempotency_key: format!("progress {revision}"),
        id: id.to_owned(),
        fence,
        expected_revision: revision,
        step: "delivery".to_owned(),
        context: known(&[("address", "here")]),
    }
}

#[tokio::test]
async fn a_matter_survives_a_kill_in_the_hands_of_its_owner_and_nobody_else_writes_to_it() {
    let daemon = World::default().settings("handoff: { lease_seconds: 2 }\n").serve();
    let mut web = client(&daemon).await;
    let offer = OfferRequest {
        idempotency_key: "basket 7".to_owned(),
        customer: "C-1042".to_owned(),
        from_channel: "web".to_owned(),
        matter: "purchase".to_owned(),
        step: "basket".to_owned(),
        context: known(&[("size", "42")]),
        ..OfferRequest::default()
    };
    let offered = web.offer(offer.clone()).await.unwrap().into_inner();
    let daemon = daemon.kill().serve();

    let mut branch = client(&daemon).await;
    assert_eq!(branch.offer(offer).await.unwrap().into_inner().code, offered.code, "the same offer, the same code");
    let resumed = branch.resume(resume(&offered.code.to_lowercase(), "branch", "r")).await.unwrap().into_inner();
    let first = resumed.handoff.unwrap();
    assert_eq!((first.step.as_str(), &first.context), ("basket", &known(&[("size", "42")])));
    branch.progress(progress(&first.id, first.fence, 1)).await.unwrap();
    let daemon = daemon.kill().serve();

    let mut branch = client(&daemon).await;
    let get = GetHandoffRequest { id: first.id.clone() };
    let kept = branch.get(get.clone()).await.unwrap().into_inner().handoff.unwrap();
    assert_eq!((kept.revision, kept.step.as_str(), kept.context), (2, "delivery", known(&[("size", "42"), ("address", "here")])));
    let again = branch.progress(progress(&first.id, first.fence, 1)).await.unwrap().into_inner();
    assert!(again.acknowledgement.unwrap().repeated, "what was done is not done twice");
    let used = branch.resume(resume(&offered.code, "shop", "s")).await.unwrap_err();
    assert_eq!(used.code(), Code::FailedPrecondition, "{used}");

    // The adviser is silent, and loses the matter.
    let mut turn = tokio::time::interval(Duration::from_millis(50));
    let offered_again = async {
        while branch.get(get.clone()).await.unwrap().into_inner().handoff.unwrap().status() != Status::Offered {
            turn.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, offered_again).await.expect("the lease runs out");
    let issue = IssueCodeRequest { idempotency_key: "c".to_owned(), id: first.id.clone(), channel: "web".to_owned() };
    let code = branch.issue_code(issue).await.unwrap().into_inner().code;
    let second = branch.resume(resume(&code, "call_centre", "r2")).await.unwrap().into_inner().handoff.unwrap();
    assert_eq!((second.fence, second.context), (2, known(&[("size", "42"), ("address", "here")])), "nothing is asked twice");
    let fenced = branch.progress(progress(&first.id, first.fence, 2)).await.unwrap_err();
    assert_eq!(fenced.code(), Code::FailedPrecondition, "{fenced}");
    assert!(fenced.message().starts_with("fence 1 does not own the matter: channel call_centre does until "), "{fenced}");
}

#[test]
fn a_person_hands_a_matter_over_from_the_command_line() {
    let daemon = World::default().settings("").serve();
    let address = daemon.address();
    let run = |arguments: &[&str]| {
        let run = World::default().run(&[&["handoff"], arguments, &["--address", &address]].concat());
        (run.status.code(), if run.status.success() { run.stdout } else { run.stderr })
    };
    let offer =
        ["offer", "--customer", "C-1", "--from", "web", "--matter", "purchase", "--step", "basket", "--answer", "size=42"];
    let (exit, offered) = run(&offer);
    assert_eq!(exit, Some(0), "{offered}");
    let code = offered.lines().next().unwrap().strip_prefix("code ").unwrap();
    let id = offered.lines().nth(1).unwrap().split(' ').next().unwrap();

    let wrong: String = code.chars().rev().collect();
    if wrong != code {
        let (exit, said) = run(&["resume", &wrong, "--channel", "branch", "--owner", "anna"]);
        assert_eq!(exit, Some(1), "{said}");
        assert!(!said.contains(&wrong), "a code is not repeated: {said}");
    }
    let (_, taken) = run(&["resume", code, "--channel", "branch", "--owner", "anna"]);
    assert!(taken.contains("owned by anna in branch with fence 1") && taken.contains("known  size = 42"), "{taken}");
    let (_, moved) =
        run(&["progress", id, "--fence", "1", "--revision", "1", "--step", "delivery", "--answer", "floor=3", "--json"]);
    let moved: serde_json::Value = serde_json::from_str(&moved).unwrap_or_else(|error| panic!("{error}: {moved}"));
    assert_eq!((&moved["handoff"]["step"], &moved["acknowledgement"]["level"]), (&"delivery".into(), &"DURABLE".into()));
    let (exit, refused) = run(&["take-back", id, "--channel", "web"]);
    assert_eq!(exit, Some(1));
    assert!(refused.contains("the matter is owned by channel branch until "), "{refused}");
    let (_, listed) = run(&["list", "--customer", "C-1", "--status", "owned"]);
    assert!(listed.starts_with(id), "{listed}");
    let (_, done) = run(&["complete", id, "--fence", "1", "--revision", "2"]);
    assert!(done.contains("completed"), "{done}");
    let (_, shown) = run(&["show", id]);
    for told in [
        "known  floor = 3",
        "resumed by its code in channel branch",
        "step delivery reached; answered: floor",
        "completed by its owner",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
}
