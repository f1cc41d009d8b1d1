//! Receiving: what comes from the system behind is handed over until it is taken, in order, and no faster than asked.

use std::time::Duration;

use passerelle_adapter::Context;
use passerelle_proto::adapter::v1::{Credit, OpenRequest, OpenResponse, Received, Refused, Taken, open_request};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::bench::{Bench, named};
use crate::law::{Finding, Held, Law, Need, broken, ensure};

/// How long what was triggered is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long what must not come is waited for.
const QUIET: Duration = Duration::from_millis(400);
/// What is left from before is taken away up to this number.
const BACKLOG: usize = 10_000;

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "receive.undeclared",
        title: "Receiving that is not declared is refused as UNIMPLEMENTED",
        why: "A bus that waits on an open stream for what never comes believes that all is well.",
        mend: "Answer Open with UNIMPLEMENTED, or declare the ability and keep its laws.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(undeclared(bench)),
    },
    Law {
        id: "receive.handed-over",
        title: "What comes in is handed over, with an id, a type of the contract and a time",
        why: "Without an id it is taken twice; without a type nobody can read it.",
        mend: "Fill in all fields of `Received`; the type is the full name of the message in `data`.",
        needs: &[Need::Wire, Need::Receive],
        check: |bench| Box::pin(handed_over(bench)),
    },
    Law {
        id: "receive.credit",
        title: "No more is handed over than credit was given for",
        why: "What the bus has no room for is lost, or fills its memory.",
        mend: "Count credits; keep the rest where it came from.",
        needs: &[Need::Wire, Need::Receive],
        check: |bench| Box::pin(credit(bench)),
    },
    Law {
        id: "receive.not-taken",
        title: "What was not taken is handed over again, under the same id and in the same order",
        why: "The bus went down before it was on disk: who does not repeat it has lost it.",
        mend: "Forget nothing before `taken`; give it the id that the system behind gave it.",
        needs: &[Need::Wire, Need::Receive],
        check: |bench| Box::pin(not_taken(bench)),
    },
    Law {
        id: "receive.taken",
        title: "What was taken is not handed over again",
        why: "It would never end.",
        mend: "Tell the system behind when `taken` comes.",
        needs: &[Need::Wire, Need::Receive],
        check: |bench| Box::pin(taken(bench)),
    },
    Law {
        id: "receive.refused",
        title: "What was refused is set aside and does not hold up what comes after it",
        why: "One message that cannot be read would stop all others for ever.",
        mend: "Keep it aside, tell people, go on with the next one.",
        needs: &[Need::Wire, Need::Receive],
        check: |bench| Box::pin(refused(bench)),
    },
    Law {
        id: "receive.second-stream",
        title: "A second stream ends the first one with ABORTED",
        why: "Two buses that both take are two truths; the newer one is the one that lives.",
        mend: "Keep one stream; end it with ABORTED when another one is opened.",
        needs: &[Need::Wire, Need::Receive],
        check: |bench| Box::pin(second_stream(bench)),
    },
];

/// An open stream.
struct Receiving {
    sender: UnboundedSender<OpenRequest>,
    stream: Streaming<OpenResponse>,
}

impl Receiving {
    fn say(&self, what: open_request::What) {
        // Who has ended the stream does not listen any more.
        let _ = self.sender.send(OpenRequest { what: Some(what) });
    }

    async fn next(&mut self, patience: Duration) -> Result<Option<Received>, Finding> {
        match tokio::time::timeout(patience, self.stream.message()).await {
            Err(_) => Ok(None),
            Ok(Ok(Some(response))) => {
                response.received.map(Some).ok_or_else(|| Finding::Broken("nothing is in what is handed over".to_owned()))
            }
            Ok(Ok(None)) => broken("the adapter has closed the stream"),
            Ok(Err(status)) => broken(format!("the stream fails with {:?}: {}", status.code(), status.message())),
        }
    }

    async fn must(&mut self, what: &str) -> Result<Received, Finding> {
        self.next(PATIENCE)
            .await?
            .ok_or_else(|| Finding::Broken(format!("{what} is not handed over within {} s", PATIENCE.as_secs())))
    }
}

async fn open(bench: &Bench, credits: u32) -> Result<Result<Receiving, Status>, Finding> {
    let mut client = bench.wire()?.client().await.map_err(Finding::Broken)?;
    let (sender, requests) = mpsc::unbounded_channel();
    let _ = sender.send(OpenRequest { what: Some(open_request::What::Credit(Credit { messages: credits })) });
    let opened = tokio::time::timeout(PATIENCE, client.open(UnboundedReceiverStream::new(requests))).await;
    match opened {
        Ok(Ok(response)) => Ok(Ok(Receiving { sender, stream: response.into_inner() })),
        Ok(Err(status)) => Ok(Err(status)),
        Err(_) => broken("Open hangs: nothing came in 5 s"),
    }
}

fn is_declared(bench: &Bench) -> bool {
    bench.opened().configured.as_ref().and_then(|configured| configured.abilities).is_some_and(|abilities| abilities.receive)
}

async fn undeclared(bench: Bench) -> Held {
    if is_declared(&bench) {
        return Err(Finding::NotAsked("the adapter declares that it receives".to_owned()));
    }
    match open(&bench, 1).await? {
        Err(status) if status.code() == Code::Unimplemented => Ok(()),
        Err(status) => broken(format!("Open is answered with {:?}", status.code())),
        Ok(mut receiving) => match tokio::time::timeout(PATIENCE, receiving.stream.message()).await {
            Ok(Err(status)) if status.code() == Code::Unimplemented => Ok(()),
            _ => broken("Open is carried"),
        },
    }
}

/// An open stream with nothing on it: what is left from before is taken.
async fn empty(bench: &Bench) -> Result<Receiving, Finding> {
    if !is_declared(bench) {
        return Err(Finding::NotAsked(
            "the adapter does not declare that it receives; that it refuses is `receive.undeclared`".to_owned(),
        ));
    }
    let mut receiving = opened(bench, u32::try_from(BACKLOG).unwrap_or(u32::MAX)).await?;
    for _ in 0..BACKLOG {
        match receiving.next(QUIET).await? {
            Some(received) => receiving.say(open_request::What::Taken(Taken { id: received.id })),
            None => break,
        }
    }
    Ok(receiving)
}

async fn opened(bench: &Bench, credits: u32) -> Result<Receiving, Finding> {
    let refused = |status: Status| Finding::Broken(format!("Open is refused with {:?}: {}", status.code(), status.message()));
    open(bench, credits).await?.map_err(refused)
}

async fn trigger(bench: &Bench, times: usize) -> Held {
    let example = bench.file().receive.clone();
    let example = example.ok_or_else(|| Finding::NotProven(Need::Receive.to_give().unwrap_or_default().to_owned()))?;
    for _ in 0..times {
        let ended = bench.ask(&example.method, &example.request, Context::default()).await?;
        if let Some(fault) = &ended.fault {
            return broken(format!("the call that makes something come in is answered with {}", named(fault)));
        }
    }
    Ok(())
}

async fn handed_over(bench: Bench) -> Held {
    let mut receiving = empty(&bench).await?;
    trigger(&bench, 2).await?;
    let (first, second) = (receiving.must("the first").await?, receiving.must("the second").await?);
    for received in [&first, &second] {
        ensure(!received.id.is_empty() && received.id.len() <= 256, || format!("its id has {} bytes", received.id.len()))?;
        ensure(!received.r#type.is_empty(), || "it has no type".to_owned())?;
        ensure(received.time.is_some(), || "it has no time".to_owned())?;
        let read = bench.contracts().read(&received.r#type, &received.data);
        read.map_err(Finding::Broken)?;
        receiving.say(open_request::What::Taken(Taken { id: received.id.clone() }));
    }
    ensure(first.id != second.id, || "two that came have the same id".to_owned())
}

async fn credit(bench: Bench) -> Held {
    drop(empty(&bench).await?);
    trigger(&bench, 3).await?;
    let mut receiving = opened(&bench, 1).await?;
    let first = receiving.must("the first").await?;
    ensure(receiving.next(QUIET).await?.is_none(), || "with credit for one, two are handed over".to_owned())?;
    receiving.say(open_request::What::Taken(Taken { id: first.id }));
    receiving.say(open_request::What::Credit(Credit { messages: 1 }));
    receiving.must("the second, for which there is credit,").await.map(drop)
}

async fn not_taken(bench: Bench) -> Held {
    drop(empty(&bench).await?);
    trigger(&bench, 3).await?;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let mut receiving = opened(&bench, 3).await?;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(receiving.must("one that was not taken").await?.id);
        }
        orders.push(ids);
    }
    ensure(orders[0] == orders[1], || "what was not taken comes under other ids, or in another order".to_owned())
}

async fn taken(bench: Bench) -> Held {
    let mut receiving = empty(&bench).await?;
    trigger(&bench, 1).await?;
    let id = receiving.must("the first").await?.id;
    receiving.say(open_request::What::Taken(Taken { id: id.clone() }));
    // It is read before the stream ends: an answer to anything later shows it.
    tokio::time::sleep(QUIET).await;
    drop(receiving);
    let mut receiving = opened(&bench, 8).await?;
    while let Some(received) = receiving.next(QUIET).await? {
        ensure(received.id != id, || "what was taken is handed over again".to_owned())?;
    }
    Ok(())
}

async fn refused(bench: Bench) -> Held {
    let mut receiving = empty(&bench).await?;
    trigger(&bench, 2).await?;
    let first = receiving.must("the first").await?.id;
    receiving.say(open_request::What::Refused(Refused {
        id: first.clone(),
        reason: "the kit refuses it, to see what happens".to_owned(),
    }));
    let second = receiving.must("the one after a refused one").await?.id;
    tokio::time::sleep(QUIET).await;
    drop(receiving);
    let mut receiving = opened(&bench, 8).await?;
    let next = receiving.must("the one after a refused one, which was not taken,").await?.id;
    ensure(next != first, || "what was refused is handed over again".to_owned())?;
    ensure(next == second, || "what was not taken comes under another id".to_owned())
}

async fn second_stream(bench: Bench) -> Held {
    let mut first = empty(&bench).await?;
    let second = opened(&bench, 1).await?;
    let ended = tokio::time::timeout(PATIENCE, first.stream.message()).await;
    drop(second);
    match ended {
        Err(_) => broken("the first stream stays open beside the second"),
        Ok(Err(status)) if status.code() == Code::Aborted => Ok(()),
        Ok(Err(status)) => broken(format!("the first stream ends with {:?}", status.code())),
        Ok(Ok(_)) => broken("the first stream ends without ABORTED"),
    }
}
