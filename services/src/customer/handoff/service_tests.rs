//! The service as channels meet it, on a journal in memory, real tables and a clock moved by hand.

use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use futures_util::future::join_all;
use passerelle_bus::keyed::clock::Manual;
use passerelle_bus::keyed::{Answers, Parts, Timers};
use passerelle_journal::memory::Memory;
use passerelle_journal::{Journal as _, Position};
use passerelle_projection::Projection;
use passerelle_proto::customer::v1::handoff::Status as Standing;
use passerelle_proto::customer::v1::handoffs_server::Handoffs as _;
use passerelle_proto::customer::v1::{
    AcceptRequest, CompleteRequest, GetHandoffRequest, GetHandoffResponse, GiveBackRequest, Handoff, HandoffContext,
    IssueCodeRequest, ListHandoffsRequest, OfferRequest, OfferResponse, ProgressRequest, ResumeRequest, ResumeResponse,
    TakeBackRequest,
};
use tempfile::TempDir;
use tonic::{Code, Request, Status};

use super::{HandoffSettings, Handoffs, Secret, folds};

const SECRET: [u8; 32] = [7; 32];

/// What outlives a crash, and the service on it.
struct World {
    folder: TempDir,
    journal: Arc<Memory>,
    clock: Arc<Manual>,
    service: Handoffs,
}

impl World {
    fn new() -> Self {
        let (folder, journal) = (tempfile::tempdir().unwrap(), Arc::new(Memory::new()));
        let clock = Arc::new(Manual::at_seconds(1_000_000));
        let service = opened(&folder, &journal, &clock, SECRET);
        Self { folder, journal, clock, service }
    }

    /// As after a crash: nothing of the old service is left but the journal and the tables.
    async fn restarted_with(self, secret: [u8; 32]) -> Self {
        let Self { folder, journal, clock, service } = self;
        let projection = service.0.projection.clone();
        drop(service);
        projection.close().await;
        let service = opened(&folder, &journal, &clock, secret);
        Self { folder, journal, clock, service }
    }

    async fn restarted(self) -> Self {
        self.restarted_with(SECRET).await
    }

    async fn offer(&self, customer: &str, key: &str) -> OfferResponse {
        self.service.offer(Request::new(offer(customer, key))).await.unwrap().into_inner()
    }

    async fn resume(&self, code: &str, channel: &str, key: &str) -> Result<ResumeResponse, Status> {
        let request = ResumeRequest {
            idempotency_key: key.to_owned(),
            code: code.to_owned(),
            channel: channel.to_owned(),
            owner: "anna".to_owned(),
        };
        self.service.resume(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    async fn progress(&self, id: &str, fence: u64, revision: u64, answer: (&str, &str)) -> Result<Handoff, Status> {
        let request = ProgressRequest {
            idempotency_key: format!("progress {fence} {revision}"),
            id: id.to_owned(),
            fence,
            expected_revision: revision,
            step: format!("step {revision}"),
            context: Some(context(&[answer])),
        };
        self.service.progress(Request::new(request)).await.map(|response| response.into_inner().handoff.unwrap())
    }

    async fn issue_code(&self, id: &str, key: &str) -> Result<String, Status> {
        let request = IssueCodeRequest { idempotency_key: key.to_owned(), id: id.to_owned(), channel: "web".to_owned() };
        self.service.issue_code(Request::new(request)).await.map(|response| response.into_inner().code)
    }

    async fn get(&self, id: &str) -> Result<GetHandoffResponse, Status> {
        self.service.get(Request::new(GetHandoffRequest { id: id.to_owned() })).await.map(tonic::Response::into_inner)
    }

    /// Lets time pass, and waits until so many more records are written by the timers.
    async fn passes(&self, seconds: u64, records: u64) {
        let mut durable = self.journal.durable();
        let reached = durable.borrow().position.0 + records;
        self.clock.advance(Duration::from_secs(seconds));
        durable.wait_for(|durable| durable.position.0 >= reached).await.unwrap();
    }

    async fn list(&self, request: ListHandoffsRequest) -> Vec<Handoff> {
        let read_at_least = self.journal.durable().borrow().position.0;
        let request = ListHandoffsRequest { read_at_least, ..request };
        self.service.list(Request::new(request)).await.unwrap().into_inner().handoffs
    }
}

fn opened(folder: &TempDir, journal: &Arc<Memory>, clock: &Arc<Manual>, secret: [u8; 32]) -> Handoffs {
    let settings = HandoffSettings { wrong_codes_per_minute: 5, ..HandoffSettings::default() };
    let mut tables = folds(&settings);
    tables.push(Box::new(Answers::default()));
    tables.push(Box::new(Timers));
    let views = folder.path().join("views.sqlite");
    let projection = Projection::open(&views, tables, journal.clone(), passerelle_projection::Settings::default()).unwrap();
    let parts = Parts { journal: journal.clone(), projection: Arc::new(projection), clock: clock.clone() };
    Handoffs::open(parts, Secret::new(&secret), settings).unwrap()
}

fn context(answers: &[(&str, &str)]) -> HandoffContext {
    HandoffContext { answers: answers.iter().map(|(q, a)| ((*q).to_owned(), (*a).to_owned())).collect() }
}

fn offer(customer: &str, key: &str) -> OfferRequest {
    OfferRequest {
        idempotency_key: key.to_owned(),
        customer: customer.to_owned(),
        from_channel: "web".to_owned(),
        to_channel: String::new(),
        matter: "purchase".to_owned(),
        step: "basket".to_owned(),
        context: Some(context(&[("size", "forty-two")])),
        time_to_live: None,
    }
}

#[tokio::test]
async fn of_many_who_have_the_code_one_becomes_the_owner_and_repetitions_get_his_answer() {
    let world = World::new();
    let code = world.offer("ada", "o").await.code;
    let several: Vec<String> = (0..20).map(|n| format!("key {n}")).collect();
    let outcomes = join_all(several.iter().map(|key| world.resume(&code, "branch", key))).await;
    let (owners, refused): (Vec<_>, Vec<_>) = several.iter().zip(outcomes).partition(|(_, outcome)| outcome.is_ok());
    assert_eq!((owners.len(), refused.len()), (1, 19));
    assert!(refused.iter().all(|(_, outcome)| outcome.as_ref().unwrap_err().code() == Code::FailedPrecondition));
    let (key, first) = &owners[0];
    for again in join_all((0..5).map(|_| world.resume(&code, "branch", key))).await {
        let again = again.unwrap();
        assert_eq!(again.handoff, first.as_ref().unwrap().handoff);
        assert!(again.acknowledgement.unwrap().repeated);
    }
    // Another caller who happens to choose the same key is not taken for the owner.
    assert_eq!(world.resume(&code, "shop", key).await.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_crash_loses_nothing_and_old_answers_are_given_again() {
    let world = World::new();
    let offered = world.offer("ada", "o").await;
    let resumed = world.resume(&offered.code, "branch", "r").await.unwrap();
    let handoff = resumed.handoff.clone().unwrap();
    assert_eq!(handoff.context, Some(context(&[("size", "forty-two")])));
    world.progress(&handoff.id, handoff.fence, 1, ("address", "here")).await.unwrap();
    let before = world.get(&handoff.id).await.unwrap();
    let world = world.restarted().await;

    assert_eq!(world.get(&handoff.id).await.unwrap(), before);
    let again = world.offer("ada", "o").await;
    assert_eq!((&again.code, again.acknowledgement.unwrap().repeated), (&offered.code, true));
    assert_eq!(world.resume(&offered.code, "branch", "r").await.unwrap().handoff, resumed.handoff);
    assert_eq!(world.resume(&offered.code, "branch", "other").await.unwrap_err().code(), Code::FailedPrecondition);
    let progressed = world.progress(&handoff.id, handoff.fence, 2, ("gift", "yes")).await.unwrap();
    assert_eq!(progressed.revision, 3);
    let known = world.get(&handoff.id).await.unwrap().handoff.unwrap().context;
    assert_eq!(known, Some(context(&[("size", "forty-two"), ("address", "here"), ("gift", "yes")])));

    let other = world.offer("bob", "o").await.code;
    let world = world.restarted_with([8; 32]).await;
    assert_eq!(world.resume(&other, "branch", "r").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_silent_owner_loses_the_matter_and_a_new_code_opens_it() {
    let world = World::new();
    let code = world.offer("ada", "o").await.code;
    let first = world.resume(&code, "branch", "r1").await.unwrap().handoff.unwrap();
    let refused = world.issue_code(&first.id, "c1").await.unwrap_err();
    expect!["the matter is owned by channel branch until 1970-01-12T13:51:40Z"].assert_eq(refused.message());
    world.passes(300, 1).await;
    assert_eq!(world.get(&first.id).await.unwrap().handoff.unwrap().status(), Standing::Offered);
    let late = world.progress(&first.id, first.fence, 1, ("address", "here")).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    let code = world.issue_code(&first.id, "c2").await.unwrap();
    let second = world.resume(&code, "call_centre", "r2").await.unwrap().handoff.unwrap();
    assert_eq!((first.fence, second.fence), (1, 2));
    let fenced = world.progress(&first.id, first.fence, 1, ("address", "here")).await.unwrap_err();
    expect!["fence 1 does not own the matter: channel call_centre does until 1970-01-12T13:56:40Z"].assert_eq(fenced.message());
}

#[tokio::test]
async fn what_nobody_takes_ends_also_when_its_time_came_while_the_service_was_down() {
    let world = World::new();
    let id = world.offer("ada", "o").await.handoff.unwrap().id;
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    let world = world.restarted().await;
    world.journal.durable().wait_for(|durable| durable.position == Position(2)).await.unwrap();
    let shown = world.get(&id).await.unwrap();
    assert_eq!(shown.handoff.unwrap().status(), Standing::Expired);
    assert_eq!(shown.history.last().unwrap().words, "nobody took it in time; ended");
}

#[tokio::test]
async fn wrong_codes_are_paid_for_and_typing_errors_are_free() {
    let world = World::new();
    let code = world.offer("ada", "o").await.code;
    for _ in 0..10 {
        assert_eq!(world.resume("0000-0001", "branch", "r").await.unwrap_err().code(), Code::InvalidArgument);
    }
    for _ in 0..5 {
        // 0000-0000 is well formed; that it was given out has a chance of one in 34 thousand million.
        assert_eq!(world.resume("0000-0000", "branch", "r").await.unwrap_err().code(), Code::NotFound);
    }
    let refused = world.resume(&code, "branch", "r").await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    expect!["too many wrong codes from channel branch; try again in 12 seconds"].assert_eq(refused.message());
    world.clock.advance(Duration::from_secs(12));
    world.resume(&code, "branch", "r").await.unwrap();
}

#[tokio::test]
async fn neither_journal_nor_tables_hold_a_code() {
    let world = World::new();
    let code = world.offer("ada", "o").await.code;
    let id = world.offer("bob", "o").await.handoff.unwrap().id;
    let other = world.issue_code(&id, "c").await.unwrap();
    world.resume(&code, "branch", "r").await.unwrap();
    world.list(ListHandoffsRequest::default()).await;
    let mut kept: Vec<Vec<u8>> = Vec::new();
    kept.extend(world.journal.read(Position(1), usize::MAX).unwrap().iter().map(|stored| stored.entry.data.to_vec()));
    let files = std::fs::read_dir(world.folder.path()).unwrap();
    kept.extend(files.map(|file| std::fs::read(file.unwrap().path()).unwrap()));
    assert!(kept.len() > 4);
    for code in [code, other] {
        for form in [code.replace('-', ""), code] {
            assert!(kept.iter().all(|bytes| !bytes.windows(form.len()).any(|window| window == form.as_bytes())));
        }
    }
}

#[tokio::test]
async fn hand_offs_are_listed_by_customer_channel_and_status_in_pages() {
    let world = World::new();
    for (customer, key) in [("ada", "1"), ("ada", "2"), ("bob", "1"), ("bob", "2")] {
        world.clock.advance(Duration::from_secs(1));
        world.offer(customer, key).await;
    }
    let meant = OfferRequest { to_channel: "shop".to_owned(), ..offer("eve", "1") };
    let id = world.service.offer(Request::new(meant)).await.unwrap().into_inner().handoff.unwrap().id;
    let accept = |channel: &str| AcceptRequest {
        idempotency_key: "a".to_owned(),
        id: id.clone(),
        channel: channel.to_owned(),
        owner: "anna".to_owned(),
    };
    let count = |found: Vec<Handoff>| {
        assert!(found.iter().all(|handoff| handoff.context.is_none()));
        found.len()
    };
    let by = |customer: &str, channel: &str, status: Standing| ListHandoffsRequest {
        customer: customer.to_owned(),
        channel: channel.to_owned(),
        status: status.into(),
        ..ListHandoffsRequest::default()
    };
    assert_eq!(count(world.list(by("ada", "", Standing::Unspecified)).await), 2);
    assert_eq!(count(world.list(by("", "branch", Standing::Unspecified)).await), 4);
    assert_eq!(count(world.list(by("", "shop", Standing::Unspecified)).await), 5);
    assert_eq!(world.service.accept(Request::new(accept("branch"))).await.unwrap_err().code(), Code::FailedPrecondition);
    world.service.accept(Request::new(accept("shop"))).await.unwrap();
    assert_eq!(count(world.list(by("", "shop", Standing::Owned)).await), 1);
    assert_eq!(count(world.list(by("bob", "shop", Standing::Owned)).await), 0);

    let (mut pages, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListHandoffsRequest { page_size: 2, page_token, ..ListHandoffsRequest::default() };
        let page = world.service.list(Request::new(request)).await.unwrap().into_inner();
        pages.push(page.handoffs.iter().map(|handoff| handoff.changed_at.unwrap().seconds).collect::<Vec<_>>());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert!(pages.concat().is_sorted_by(|a, b| a >= b), "{pages:?}");
}

#[tokio::test]
async fn who_offered_takes_it_back_with_all_that_became_known_and_who_owns_completes() {
    let world = World::new();
    let offered = world.offer("ada", "1").await;
    let owned = world.resume(&offered.code, "branch", "r").await.unwrap().handoff.unwrap();
    world.progress(&owned.id, 1, 1, ("address", "here")).await.unwrap();
    let give_back = GiveBackRequest { idempotency_key: "g".to_owned(), id: owned.id.clone(), fence: 1 };
    world.service.give_back(Request::new(give_back)).await.unwrap();
    let take_back = TakeBackRequest { idempotency_key: "t".to_owned(), id: owned.id.clone(), channel: "web".to_owned() };
    let back = world.service.take_back(Request::new(take_back)).await.unwrap().into_inner().handoff.unwrap();
    assert_eq!(
        (back.status(), back.context),
        (Standing::TakenBack, Some(context(&[("size", "forty-two"), ("address", "here")])))
    );

    let offered = world.offer("ada", "2").await;
    let owned = world.resume(&offered.code, "branch", "r").await.unwrap().handoff.unwrap();
    let complete = |revision| CompleteRequest {
        idempotency_key: "c".to_owned(),
        id: owned.id.clone(),
        fence: 1,
        expected_revision: revision,
    };
    let unseen = world.service.complete(Request::new(complete(2))).await.unwrap_err();
    assert_eq!(unseen.code(), Code::Aborted);
    let done = world.service.complete(Request::new(complete(1))).await.unwrap().into_inner().handoff.unwrap();
    assert_eq!((done.status(), done.context), (Standing::Completed, None));
}

#[track_caller]
fn refused(request: Result<(), Status>, expected: Expect) {
    let status = request.unwrap_err();
    expected.assert_eq(&format!("{:?}: {}", status.code(), status.message()));
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_without_its_value() {
    let world = World::new();
    let offer_with = async |change: fn(&mut OfferRequest)| {
        let mut request = offer("ada", "k");
        change(&mut request);
        world.service.offer(Request::new(request)).await.map(drop)
    };
    refused(offer_with(|offer| offer.idempotency_key.clear()).await, expect!["InvalidArgument: idempotency_key: must be given"]);
    refused(offer_with(|offer| offer.customer = "x".repeat(129)).await, expect!["InvalidArgument: customer: at most 128 bytes are taken, these are 129"]);
    refused(offer_with(|offer| offer.from_channel = "Web".to_owned()).await, expect!["InvalidArgument: from_channel: a channel is named by lower-case letters, digits, `-`, `_` and `.`"]);
    refused(offer_with(|offer| offer.to_channel = "a b".to_owned()).await, expect!["InvalidArgument: to_channel: a channel is named by lower-case letters, digits, `-`, `_` and `.`"]);
    refused(offer_with(|offer| offer.matter = "a\nb".to_owned()).await, expect!["InvalidArgument: matter: control characters are not taken"]);
    refused(offer_with(|offer| offer.context = Some(context(&[("", "secret")]))).await, expect!["InvalidArgument: context.answers[0].key: must be given"]);
    refused(offer_with(|offer| offer.context = Some(context(&[("q", &"x".repeat(4097))]))).await, expect!["InvalidArgument: context.answers[0]: an answer has at most 4096 bytes, this one 4097"]);
    refused(offer_with(|offer| offer.time_to_live = Some(prost_types::Duration { seconds: 0, nanos: 1 })).await, expect!["InvalidArgument: time_to_live: 1 to 2592000 seconds can be asked for"]);
    refused(world.resume("ABCDEFG", "branch", "k").await.map(drop), expect!["InvalidArgument: code: the code has 7 characters, a code has 8"]);
    refused(world.get("nothing").await.map(drop), expect!["InvalidArgument: id: a hand-off is named by 32 hexadecimal digits, as it was when offered"]);
    refused(world.get(&"0".repeat(32)).await.map(drop), expect!["NotFound: there is no such hand-off"]);
    let list = async |request| world.service.list(Request::new(request)).await.map(drop);
    refused(list(ListHandoffsRequest { page_size: 1_001, ..ListHandoffsRequest::default() }).await, expect!["InvalidArgument: page_size: at most 1000 can be asked for"]);
    refused(list(ListHandoffsRequest { page_token: "x".to_owned(), ..ListHandoffsRequest::default() }).await, expect!["InvalidArgument: page_token: is not what a list answered as `next_page_token`"]);
    refused(list(ListHandoffsRequest { status: 9, ..ListHandoffsRequest::default() }).await, expect!["InvalidArgument: status: is none of those that hand-offs have"]);
}
