//! Deadlines and cancelling: kept, not before their time, and nothing is left behind.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use passerelle_adapter::{Call, Context, Fault, Messages};

use super::call::after;
use crate::bench::{Bench, named};
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::proxy::Disturbance;
use crate::subject::SlowExample;

/// What an adapter may take beyond a deadline to say that it has passed.
const GRACE: Duration = Duration::from_millis(500);
/// A deadline shorter than any slow call.
const SHORT: Duration = Duration::from_millis(300);

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "deadline.passed",
        title: "A call whose deadline has passed is answered at once",
        why: "Nobody waits for it any more; work done for it is work taken from others.",
        mend: "Look at the deadline before the system behind is asked: answer Fault.deadline_exceeded.",
        needs: &[Need::Call],
        check: |bench| Box::pin(passed(bench)),
    },
    Law {
        id: "deadline.kept",
        title: "A slow call ends at its deadline",
        why: "A caller who has left still holds a place, a connection and memory.",
        mend: "Run the call under a timer that ends at `grpc-timeout`; answer Fault.deadline_exceeded.",
        needs: &[Need::Slow],
        check: |bench| Box::pin(kept(bench)),
    },
    Law {
        id: "deadline.not-before",
        title: "A call that ends before its deadline is answered",
        why: "A timer in another unit, or one of the adapter's own, fails calls that had time left.",
        mend: "Take the caller's deadline, and no shorter one of your own.",
        needs: &[Need::Slow],
        check: |bench| Box::pin(not_before(bench)),
    },
    Law {
        id: "deadline.far",
        title: "A deadline far away is as good as none",
        why: "A number of milliseconds that overflows is a deadline that has passed.",
        mend: "Reckon with 64 bits, and bound what you hand to timers.",
        needs: &[Need::Call],
        check: |bench| Box::pin(far(bench)),
    },
    Law {
        id: "deadline.next-call",
        title: "After a deadline has passed, the next call gets its own answer",
        why: "The late answer still comes on that connection: who takes it for the next one's gives one customer another one's data.",
        mend: "Close a connection on which an answer is still to come, or match answers to requests by a number.",
        needs: &[Need::Slow, Need::Call],
        check: |bench| Box::pin(next_call(bench)),
    },
    Law {
        id: "deadline.silence",
        title: "A deadline is kept when the system behind says nothing at all",
        why: "A system that is stuck must not take the bus with it.",
        mend: "Put the timer round the whole call, connecting and waiting for a free connection included.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(silence(bench)),
    },
    Law {
        id: "deadline.no-answer-after",
        title: "What passed its deadline is not called a success, nor a refusal",
        why: "The effect may have happened; another class would let the bus do it again.",
        mend: "Once the request may have reached the system, a deadline is deadline_exceeded or unknown.",
        needs: &[Need::Slow],
        check: |bench| Box::pin(class(bench)),
    },
    Law {
        id: "cancel.frees",
        title: "Cancelled calls make room for others",
        why: "Channels leave often; what they leave behind must not fill the adapter.",
        mend: "End the work when the call is cancelled, and give its place back.",
        needs: &[Need::Slow, Need::Call],
        check: |bench| Box::pin(cancel_frees(bench)),
    },
    Law {
        id: "cancel.frees-connections",
        title: "Cancelled calls do not pile up connections",
        why: "The system behind allows so many connections; leaked ones are an outage by evening.",
        mend: "Close the connection of a cancelled call, or give it back when its answer has been read.",
        needs: &[Need::Slow, Need::Behind],
        check: |bench| Box::pin(cancel_connections(bench)),
    },
];

fn slow(bench: &Bench) -> Result<&SlowExample, Finding> {
    bench.file().slow.as_ref().ok_or_else(|| Finding::NotProven(Need::Slow.to_give().unwrap_or_default().to_owned()))
}

fn within(time: Duration) -> Context {
    Context { deadline: Some(Instant::now() + time), ..Context::default() }
}

async fn passed(bench: Bench) -> Held {
    let example = bench.good()?;
    let ended = bench.ask(&example.method, &example.request, within(Duration::ZERO)).await?;
    ensure(ended.took < GRACE, || format!("it took {} ms", ended.took.as_millis()))?;
    // Over the wire the least deadline is a millisecond: a quick adapter may keep it.
    let quick = ended.fault.is_none() && ended.took < Duration::from_millis(20) && bench.wire().is_ok();
    match &ended.fault {
        Some(Fault::DeadlineExceeded { .. }) => Ok(()),
        None if quick => Ok(()),
        Some(fault) => broken(format!("it is answered with {}", named(fault))),
        None => broken("it is answered as if there were time"),
    }
}

async fn kept(bench: Bench) -> Held {
    let slow = slow(&bench)?;
    for _ in 0..2 {
        let ended = bench.ask(&slow.method, &slow.request, within(SHORT)).await?;
        let took = ended.took.as_millis();
        ensure(ended.took < SHORT + GRACE, || format!("with {} ms to go, a slow call took {took} ms", SHORT.as_millis()))?;
        ensure(ended.fault.is_some(), || format!("the example is not slow: it was answered in {took} ms"))?;
    }
    Ok(())
}

async fn class(bench: Bench) -> Held {
    let slow = slow(&bench)?;
    let ended = bench.ask(&slow.method, &slow.request, within(SHORT)).await?;
    match &ended.fault {
        Some(Fault::DeadlineExceeded { .. } | Fault::Unknown { .. }) => Ok(()),
        Some(fault) => broken(format!("a deadline that passed is called {}", named(fault))),
        None => broken("a call that takes longer than its deadline is answered"),
    }
}

async fn not_before(bench: Bench) -> Held {
    let slow = slow(&bench)?;
    let ended = bench.ask(&slow.method, &slow.request, within(Duration::from_millis(slow.takes_ms * 2 + 1_000))).await?;
    match &ended.fault {
        None => Ok(()),
        Some(fault) => broken(format!("after {} ms, with as many to go: {}", ended.took.as_millis(), named(fault))),
    }
}

async fn far(bench: Bench) -> Held {
    let example = bench.good()?;
    for days in [1, 30, 400, 1_000] {
        let ended = bench.ask(&example.method, &example.request, within(Duration::from_secs(days * 86_400))).await?;
        bench.is_right(&example, &ended).map_err(|finding| after(finding, &format!("with {days} days to go")))?;
    }
    Ok(())
}

async fn next_call(bench: Bench) -> Held {
    let slow = slow(&bench)?;
    let example = bench.good()?;
    for _ in 0..3 {
        bench.ask(&slow.method, &slow.request, within(Duration::from_millis(100))).await?;
        bench.right(&example).await.map_err(|finding| after(finding, "after a deadline passed"))?;
    }
    // The late answers come meanwhile.
    tokio::time::sleep(Duration::from_millis(slow.takes_ms)).await;
    bench.right(&example).await.map_err(|finding| after(finding, "when the late answers have come"))?;
    Ok(())
}

async fn silence(bench: Bench) -> Held {
    let proxy = bench.proxy()?;
    let example = bench.good()?;
    proxy.tell(Disturbance::Silence).await;
    let calls = (0..4).map(|_| bench.ask(&example.method, &example.request, within(SHORT)));
    let ended = join_all(calls).await;
    proxy.hang_up().await;
    for ended in ended {
        let ended = ended?;
        let took = ended.took.as_millis();
        ensure(ended.took < SHORT + GRACE, || format!("with {} ms to go, a call took {took} ms", SHORT.as_millis()))?;
    }
    bench.works_on("after the system behind was silent").await
}

/// Begins slow calls and leaves them.
async fn leave(bench: &Bench, calls: usize) -> Held {
    let slow = slow(bench)?;
    let mut left = Vec::new();
    for _ in 0..calls {
        let messages = Messages::one(bench.request(&slow.method, &slow.request)?);
        let call = Call { method: slow.method.clone(), messages, context: Context::default() };
        let adapter = bench.adapter();
        left.push(tokio::spawn(async move { tokio::time::timeout(Duration::from_millis(60), adapter.call(call)).await.is_ok() }));
    }
    for call in left {
        // Whether it was answered before it was left does not matter.
        let _ = call.await;
    }
    Ok(())
}

async fn cancel_frees(bench: Bench) -> Held {
    for _ in 0..4 {
        leave(&bench, 32).await?;
    }
    let example = bench.good()?;
    let begin = Instant::now();
    bench.works_on("after 128 calls were cancelled").await?;
    let took = begin.elapsed();
    let slow = Duration::from_millis(slow(&bench)?.takes_ms);
    ensure(took < slow.min(Duration::from_secs(2)), || {
        format!("after 128 calls were cancelled, {} waited {} ms for its answer", example.method, took.as_millis())
    })
}

async fn cancel_connections(bench: Bench) -> Held {
    let proxy = bench.proxy()?;
    leave(&bench, 16).await?;
    let before = proxy.open();
    for _ in 0..3 {
        leave(&bench, 16).await?;
    }
    let patience = Duration::from_millis(slow(&bench)?.takes_ms) + Duration::from_secs(1);
    let begin = Instant::now();
    while proxy.open() > before + 4 && begin.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ensure(proxy.open() <= before + 4, || {
        format!("48 calls were cancelled, and {} more connections are open behind", proxy.open() - before)
    })
}
