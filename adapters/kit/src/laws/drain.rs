//! Drain: nothing new, what is in flight ends, and it can be asked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use passerelle_adapter::{Context, Fault};
use passerelle_proto::adapter::v1::DrainRequest;

use crate::bench::{Bench, Ended, named};
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::subject::SlowExample;

/// What an adapter may take beyond its grace.
const BEYOND: Duration = Duration::from_secs(2);

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "drain.idle",
        title: "Draining an idle adapter is over at once",
        why: "A rollout waits for it, on every machine.",
        mend: "Answer as soon as nothing is in flight; do not sleep for the grace.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(idle(bench)),
    },
    Law {
        id: "drain.refuses-new",
        title: "A drained adapter answers calls with Unavailable",
        why: "Unavailable is what sends the call elsewhere; anything else loses it.",
        mend: "Set a mark before you wait, and look at it first in every call.",
        needs: &[Need::Renewal, Need::Call],
        check: |bench| Box::pin(refuses_new(bench)),
    },
    Law {
        id: "drain.in-flight",
        title: "What is in flight ends with its own answer",
        why: "This is what draining is for.",
        mend: "Keep what calls need (connections, pools) until the last one has ended.",
        needs: &[Need::Renewal, Need::Slow],
        check: |bench| Box::pin(in_flight(bench)),
    },
    Law {
        id: "drain.waits",
        title: "Drain answers only when nothing is in flight any more",
        why: "The process is ended when it answers.",
        mend: "Count calls in flight, streams to their last message included, and wait for zero.",
        needs: &[Need::Renewal, Need::Slow],
        check: |bench| Box::pin(waits(bench)),
    },
    Law {
        id: "drain.refuses-meanwhile",
        title: "While it drains, calls that come are answered with Unavailable",
        why: "A drain that goes on taking work never ends.",
        mend: "Set a mark before you wait, and look at it first in every call.",
        needs: &[Need::Renewal, Need::Slow, Need::Call],
        check: |bench| Box::pin(refuses_meanwhile(bench)),
    },
    Law {
        id: "drain.grace",
        title: "When the grace is over, drain ends, and so does what is in flight",
        why: "One stuck call must not hold up a rollout.",
        mend: "After the grace, end what is left with Fault.unknown, and answer.",
        needs: &[Need::Renewal, Need::Slow],
        check: |bench| Box::pin(grace(bench)),
    },
    Law {
        id: "drain.cut-off",
        title: "Drain tells how many calls it cut off",
        why: "Operators learn from it that the grace is too short.",
        mend: "Count the calls that you end after the grace, in `DrainResponse.cut_off`.",
        needs: &[Need::Wire, Need::Renewal, Need::Slow],
        check: |bench| Box::pin(cut_off(bench)),
    },
    Law {
        id: "drain.again",
        title: "Drain can be asked again",
        why: "The bus repeats it after a connection was lost.",
        mend: "A second drain waits for the same end, and answers.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(again(bench)),
    },
    Law {
        id: "drain.at-once",
        title: "Drain asked twice at the same time is answered twice",
        why: "Two operators, or a bus that asks again early.",
        mend: "Let everybody who asks wait for the same end.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(at_once(bench)),
    },
    Law {
        id: "drain.under-load",
        title: "Under load, each call is answered rightly or with Unavailable",
        why: "A rollout at noon must not be seen by anybody.",
        mend: "Take a call or refuse it in one step: mark and count under one lock.",
        needs: &[Need::Renewal, Need::Call],
        check: |bench| Box::pin(under_load(bench)),
    },
    Law {
        id: "drain.health",
        title: "A drained adapter still answers health",
        why: "It is asked until the process ends.",
        mend: "Keep answering; DOWN with a reason is right.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(health(bench)),
    },
];

async fn drain(bench: &Bench, grace: Duration, most: Duration) -> Result<Duration, Finding> {
    bench.spend();
    let begin = Instant::now();
    let adapter = bench.adapter();
    if tokio::time::timeout(most, adapter.drain(grace)).await.is_err() {
        return broken(format!("drain with {} ms of grace has not answered after {} ms", grace.as_millis(), most.as_millis()));
    }
    Ok(begin.elapsed())
}

fn slow(bench: &Bench) -> Result<SlowExample, Finding> {
    let slow = bench.file().slow.clone();
    slow.ok_or_else(|| Finding::NotProven(Need::Slow.to_give().unwrap_or_default().to_owned()))
}

/// A slow call under way.
async fn begun(bench: &Bench) -> Result<tokio::task::JoinHandle<Result<Ended, Finding>>, Finding> {
    let slow = slow(bench)?;
    let task = {
        let bench = bench.clone();
        tokio::spawn(async move { bench.ask(&slow.method, &slow.request, Context::default()).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(task)
}

async fn ended(task: tokio::task::JoinHandle<Result<Ended, Finding>>) -> Result<Ended, Finding> {
    task.await.map_err(|error| Finding::Broken(format!("a call in flight: {error}")))?
}

async fn idle(bench: Bench) -> Held {
    drain(&bench, Duration::from_secs(20), BEYOND).await.map(drop)
}

async fn is_refused(bench: &Bench, when: &str) -> Held {
    let example = bench.good()?;
    let ended = bench.ask(&example.method, &example.request, Context::default()).await?;
    match &ended.fault {
        Some(Fault::Unavailable { .. }) => Ok(()),
        Some(fault) => broken(format!("{when}, a call is answered with {}", named(fault))),
        None => broken(format!("{when}, a call is carried")),
    }
}

async fn refuses_new(bench: Bench) -> Held {
    drain(&bench, Duration::from_secs(5), BEYOND).await?;
    for _ in 0..3 {
        is_refused(&bench, "after drain").await?;
    }
    Ok(())
}

async fn in_flight(bench: Bench) -> Held {
    let takes = Duration::from_millis(slow(&bench)?.takes_ms);
    let call = begun(&bench).await?;
    drain(&bench, takes * 3, takes * 3 + BEYOND).await?;
    match ended(call).await?.fault {
        None => Ok(()),
        Some(fault) => broken(format!("a call in flight ends with {}, with grace enough", named(&fault))),
    }
}

async fn waits(bench: Bench) -> Held {
    let takes = Duration::from_millis(slow(&bench)?.takes_ms);
    let call = begun(&bench).await?;
    drain(&bench, takes * 3, takes * 3 + BEYOND).await?;
    // A moment for what is on its way.
    let over = tokio::time::timeout(Duration::from_millis(300), call).await;
    ensure(over.is_ok(), || "drain has answered, and a call is still in flight".to_owned())
}

async fn refuses_meanwhile(bench: Bench) -> Held {
    let takes = Duration::from_millis(slow(&bench)?.takes_ms);
    let call = begun(&bench).await?;
    let draining = {
        let bench = bench.clone();
        tokio::spawn(async move { drain(&bench, takes * 3, takes * 3 + BEYOND).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    let refused = is_refused(&bench, "while it drains").await;
    ended(call).await?;
    draining.await.map_err(|error| Finding::Broken(format!("drain: {error}")))??;
    refused
}

async fn grace(bench: Bench) -> Held {
    let grace = Duration::from_millis(200);
    let call = begun(&bench).await?;
    // In process the call is ended by dropping its connections.
    drain(&bench, grace, grace + BEYOND / 2).await?;
    let patience = Duration::from_millis(slow(&bench)?.takes_ms) + BEYOND;
    let over = tokio::time::timeout(patience, ended(call)).await;
    match over {
        Err(_) => broken("a call that was cut off is still in flight"),
        Ok(ended) => match ended?.fault {
            Some(Fault::Unknown { .. } | Fault::Unavailable { .. } | Fault::DeadlineExceeded { .. }) | None => Ok(()),
            Some(fault) => broken(format!("a call that was cut off is told as {}", named(&fault))),
        },
    }
}

async fn cut_off(bench: Bench) -> Held {
    let call = begun(&bench).await?;
    bench.spend();
    let mut client = bench.wire()?.client().await.map_err(Finding::Broken)?;
    let grace = prost_types::Duration { seconds: 0, nanos: 100_000_000 };
    let answer = tokio::time::timeout(BEYOND, client.drain(DrainRequest { grace: Some(grace) })).await;
    let answer = answer.map_err(|_| Finding::Broken("drain with 100 ms of grace has not answered after 2 s".to_owned()))?;
    let cut_off = answer.map_err(|status| Finding::Broken(format!("drain fails with {:?}", status.code())))?.into_inner().cut_off;
    call.abort();
    ensure(cut_off == 1, || format!("one call was in flight, it says that {cut_off} were cut off"))
}

async fn again(bench: Bench) -> Held {
    for _ in 0..3 {
        drain(&bench, Duration::from_secs(5), BEYOND).await?;
    }
    Ok(())
}

async fn at_once(bench: Bench) -> Held {
    join_all((0..2).map(|_| drain(&bench, Duration::from_secs(5), BEYOND)))
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map(drop)
}

async fn under_load(bench: Bench) -> Held {
    let example = bench.good()?;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut callers = Vec::new();
    for _ in 0..bench.at_once() {
        let (bench, example, is_over) = (bench.clone(), example.clone(), Arc::clone(&is_over));
        callers.push(tokio::spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                let ended = bench.ask(&example.method, &example.request, Context::default()).await?;
                match &ended.fault {
                    Some(Fault::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(2)).await,
                    Some(fault) => {
                        return broken(format!("while it drains under load, a call is answered with {}", named(fault)));
                    }
                    None => bench.is_right(&example, &ended)?,
                }
            }
            Ok(())
        }));
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let drained = drain(&bench, Duration::from_secs(5), Duration::from_secs(5) + BEYOND).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    is_over.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.map_err(|error| Finding::Broken(format!("a caller: {error}")))??;
    }
    drained.map(drop)
}

async fn health(bench: Bench) -> Held {
    drain(&bench, Duration::from_secs(5), BEYOND).await?;
    bench.health(Duration::from_secs(1)).await.map(drop)
}
