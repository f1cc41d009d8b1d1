//! Credits: neither side sends a message for which it has none.

use std::time::Duration;

use passerelle_adapter::Context;
use passerelle_proto::adapter::v1::{Credit, End, call_request, call_response};
use tonic::{Code, Status};

use super::call::after;
use crate::bench::Bench;
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::subject::StreamExample;
use crate::wire::Raw;

/// How long a message that must not come is waited for.
const QUIET: Duration = Duration::from_millis(400);
/// How long one that must come is.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "credit.kept",
        title: "No more messages come than credit was given for",
        why: "What nobody has room for is kept in memory: one slow reader fills it for all.",
        mend: "Count credits; before each message of an answer, wait until there is one.",
        needs: &[Need::Wire, Need::Stream],
        check: |bench| Box::pin(kept(bench)),
    },
    Law {
        id: "credit.adds-up",
        title: "Credit that comes later is added to what was there",
        why: "An adapter that takes it for the new total stops in the middle, or runs over.",
        mend: "Add `Credit.messages` to what is left.",
        needs: &[Need::Wire, Need::Stream],
        check: |bench| Box::pin(adds_up(bench)),
    },
    Law {
        id: "credit.all-of-it",
        title: "With credit for all, all messages come, and the end needs none",
        why: "A stream that waits for a credit to end stays open for ever.",
        mend: "Credits count messages only; send `end` and `fault` without one.",
        needs: &[Need::Wire, Need::Stream],
        check: |bench| Box::pin(all_of_it(bench)),
    },
    Law {
        id: "credit.one-by-one",
        title: "A stream goes on credit by credit",
        why: "This is how a slow reader reads.",
        mend: "Go on as soon as credit comes; read the bus's side while an answer is being sent.",
        needs: &[Need::Wire, Need::Stream],
        check: |bench| Box::pin(one_by_one(bench)),
    },
    Law {
        id: "credit.overrun",
        title: "A bus that sends without credit is cut off with RESOURCE_EXHAUSTED",
        why: "A side that may be overrun must keep what comes, without a bound.",
        mend: "Count what you gave (`Limits.first_credits`, at least one); end the call with RESOURCE_EXHAUSTED beyond.",
        needs: &[Need::Wire, Need::Slow],
        check: |bench| Box::pin(overrun(bench)),
    },
    Law {
        id: "credit.waiting-cancelled",
        title: "Streams that wait for credit and are cancelled harm nobody",
        why: "A reader who stops reading and leaves is the usual one.",
        mend: "Wait for credit and for the call's end at the same time.",
        needs: &[Need::Wire, Need::Stream],
        check: |bench| Box::pin(waiting_cancelled(bench)),
    },
    Law {
        id: "credit.after-end",
        title: "A request that ended with `end` leaves credit to be given, where that is declared",
        why: "The answer of a request that ended is held back by credit only if credit can still come.",
        mend: "On `end` tell the method that its request is complete, and go on reading credit.",
        needs: &[Need::Wire, Need::Stream],
        check: |bench| Box::pin(after_end(bench)),
    },
    Law {
        id: "credit.huge",
        title: "Credits beyond all numbers are as good as enough",
        why: "A sum that overflows is a crash, or no credit at all.",
        mend: "Add with saturation.",
        needs: &[Need::Wire, Need::Stream],
        check: |bench| Box::pin(huge(bench)),
    },
];

fn stream(bench: &Bench) -> Result<&StreamExample, Finding> {
    bench.file().stream.as_ref().ok_or_else(|| Finding::NotProven(Need::Stream.to_give().unwrap_or_default().to_owned()))
}

fn failed(status: &Status) -> Finding {
    Finding::Broken(format!("the call fails with {:?}: {}", status.code(), status.message()))
}

/// Begins the example's stream with so many credits.
async fn begin(bench: &Bench, credits: u32) -> Result<Raw, Finding> {
    let example = stream(bench)?;
    let request = bench.request(&example.method, &example.request)?;
    let call = bench.wire()?.raw().await.map_err(|status| failed(&status))?;
    call.start(&example.method, Some(request), credits);
    Ok(call)
}

fn credit(call: &Raw, messages: u32) {
    call.say(Some(call_request::What::Credit(Credit { messages })));
}

/// What came in a while.
#[derive(Debug, Default, PartialEq, Eq)]
struct Came {
    messages: usize,
    is_ended: bool,
}

/// Takes messages until the end, or until nothing comes for so long.
async fn take(call: &mut Raw, quiet: Duration) -> Result<Came, Finding> {
    let mut came = Came::default();
    while let Ok(next) = tokio::time::timeout(quiet, call.next()).await {
        match next.map_err(|status| failed(&status))?.map(|response| response.what) {
            Some(Some(call_response::What::Message(_))) => came.messages += 1,
            Some(Some(call_response::What::Credit(_))) => {}
            Some(Some(call_response::What::End(_))) | None => {
                came.is_ended = true;
                break;
            }
            Some(Some(call_response::What::Fault(fault))) => {
                return broken(format!("the stream ends with a fault: {}", fault.message));
            }
            Some(None) => return broken("the adapter said nothing that this version knows"),
        }
    }
    Ok(came)
}

async fn kept(bench: Bench) -> Held {
    for credits in [1, 2] {
        let mut call = begin(&bench, credits).await?;
        let mut came = take(&mut call, QUIET).await?;
        // Some answer only once the request has ended.
        call.finish();
        came.messages += take(&mut call, QUIET).await?.messages;
        ensure(came.messages <= credits as usize, || format!("with credit for {credits}, {} messages came", came.messages))?;
        ensure(came.messages > 0, || format!("with credit for {credits}, no message came"))?;
    }
    Ok(())
}

async fn adds_up(bench: Bench) -> Held {
    let mut call = begin(&bench, 1).await?;
    credit(&call, 1);
    credit(&call, 1);
    call.finish();
    let came = take(&mut call, QUIET * 2).await?;
    let expected = 3.min(stream(&bench)?.messages);
    ensure(came.messages == expected, || format!("with credit for 1, 1 and 1 more, {} messages came", came.messages))
}

async fn all_of_it(bench: Bench) -> Held {
    let all = stream(&bench)?.messages;
    let mut call = begin(&bench, u32::try_from(all).unwrap_or(u32::MAX)).await?;
    call.finish();
    let came = take(&mut call, PATIENCE).await?;
    ensure(came == Came { messages: all, is_ended: true }, || {
        format!(
            "with credit for all of {all}, {} messages came{}",
            came.messages,
            if came.is_ended { "" } else { ", and no end" }
        )
    })
}

async fn one_by_one(bench: Bench) -> Held {
    let all = stream(&bench)?.messages;
    let mut call = begin(&bench, 1).await?;
    for expected in 1..=all.min(20) {
        let came = take_one(&mut call).await?;
        if !came && expected == 1 {
            return Err(Finding::NotAsked("it answers only once the request has ended".to_owned()));
        }
        ensure(came, || format!("message {expected} does not come, although there is credit for it"))?;
        credit(&call, 1);
    }
    Ok(())
}

async fn after_end(bench: Bench) -> Held {
    let abilities = bench.opened().configured.as_ref().and_then(|configured| configured.abilities);
    if !abilities.is_some_and(|abilities| abilities.request_end) {
        return Err(Finding::NotAsked(
            "it does not declare that it reads `end`; closing the stream ends its requests".to_owned(),
        ));
    }
    let all = stream(&bench)?.messages;
    let mut call = begin(&bench, 1).await?;
    call.say(Some(call_request::What::End(End {})));
    for expected in 1..=all.min(20) {
        ensure(take_one(&mut call).await?, || {
            format!("message {expected} does not come after `end`, although there is credit for it")
        })?;
        credit(&call, 1);
    }
    Ok(())
}

async fn take_one(call: &mut Raw) -> Result<bool, Finding> {
    loop {
        match tokio::time::timeout(Duration::from_secs(2), call.next()).await {
            Err(_) => return Ok(false),
            Ok(next) => match next.map_err(|status| failed(&status))?.and_then(|response| response.what) {
                Some(call_response::What::Credit(_)) => {}
                Some(call_response::What::Message(_)) => return Ok(true),
                _ => return Ok(false),
            },
        }
    }
}

async fn overrun(bench: Bench) -> Held {
    let slow = bench.file().slow.clone();
    let slow = slow.ok_or_else(|| Finding::NotProven(Need::Slow.to_give().unwrap_or_default().to_owned()))?;
    let request = bench.request(&slow.method, &slow.request)?;
    let first = bench.opened().limits.first_credits.max(1);
    let mut call = bench.wire()?.raw().await.map_err(|status| failed(&status))?;
    call.start(&slow.method, Some(request.clone()), 1);
    // Far beyond: a credit that is on its way is not counted against the adapter.
    for _ in 0..first + 100 {
        call.say(Some(call_request::What::Message(request.clone())));
    }
    let ended = tokio::time::timeout(PATIENCE, async {
        loop {
            match call.next().await {
                Ok(Some(response)) => match response.what {
                    Some(call_response::What::Credit(_)) => {}
                    // It had given credit for a second message, and refuses that.
                    Some(call_response::What::Fault(_)) => break Ok(false),
                    _ => break Ok(true),
                },
                Ok(None) => break Ok(true),
                Err(status) => break Err(status),
            }
        }
    });
    match ended.await {
        Err(_) => broken("messages without credit are neither refused nor answered in 10 s"),
        Ok(Ok(true)) => broken("messages without credit are borne"),
        Ok(Ok(false)) => bench.works_on("after it refused a call").await,
        Ok(Err(status)) if status.code() == Code::ResourceExhausted => bench.works_on("after it cut a call off").await,
        Ok(Err(status)) => broken(format!("messages without credit are cut off with {:?}", status.code())),
    }
}

async fn waiting_cancelled(bench: Bench) -> Held {
    for _ in 0..40 {
        let mut call = begin(&bench, 1).await?;
        call.finish();
        // The first message has come, the second waits for credit.
        let _ = tokio::time::timeout(Duration::from_millis(30), call.next()).await;
    }
    bench.works_on("after 40 streams that waited for credit were cancelled").await?;
    let example = stream(&bench)?;
    let ended = bench.ask(&example.method, &example.request, Context::default()).await?;
    ensure(ended.fault.is_none() && ended.messages.len() == example.messages, || {
        "after others were cancelled, a stream is not whole".to_owned()
    })
}

async fn huge(bench: Bench) -> Held {
    let all = stream(&bench)?.messages;
    let mut call = begin(&bench, u32::MAX).await?;
    credit(&call, u32::MAX);
    credit(&call, u32::MAX);
    call.finish();
    let came = take(&mut call, PATIENCE).await.map_err(|finding| after(finding, "with credits beyond all numbers"))?;
    ensure(came == Came { messages: all, is_ended: true }, || {
        format!("with credits beyond all numbers, {} messages of {all} came", came.messages)
    })
}
