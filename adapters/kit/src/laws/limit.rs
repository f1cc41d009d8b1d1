//! Limits: declared ones are kept, and what is beyond them is refused, not cut off.

use std::time::Duration;

use futures_util::future::join_all;
use passerelle_adapter::{Context, Fault};

use super::call::is_invalid;
use crate::bench::{Bench, named};
use crate::law::{Finding, Held, Law, Need, broken, ensure};

/// The largest message that is tried where no limit is declared: what gRPC bears by default.
const DEFAULT_BYTES: usize = 3 << 20;
/// More calls at once than this are not tried.
const CALLS_MAX: u32 = 256;

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "limit.message",
        title: "A message beyond the declared limit is rejected as invalid",
        why: "A call that is cut off tells nobody what was wrong, and looks like an outage.",
        mend: "Let the gRPC server take more than the limit, and answer Rejected (INVALID) with the limit in the message.",
        needs: &[Need::Wire, Need::Call],
        check: |bench| Box::pin(message(bench)),
    },
    Law {
        id: "limit.message.large",
        title: "Three mebibytes of garbage are rejected, and harm nobody",
        why: "Somebody sends a film one day.",
        mend: "Hold the length against a limit of your own before it is decoded.",
        needs: &[Need::Call],
        check: |bench| Box::pin(large(bench)),
    },
    Law {
        id: "limit.calls",
        title: "A call beyond the declared number is throttled, and told when to come back",
        why: "Without it the bus does not know that it is the adapter which is full, and not the system behind.",
        mend: "Count calls in flight; beyond `Limits.calls` answer Fault.throttled with `retry_after`.",
        needs: &[Need::Wire, Need::Slow],
        check: |bench| Box::pin(calls(bench)),
    },
    Law {
        id: "limit.calls.free-again",
        title: "Calls that ended make room for others",
        why: "A count that is not given back is an adapter that is full for ever.",
        mend: "Give the place back in every way in which a call can end.",
        needs: &[Need::Wire, Need::Slow, Need::Call],
        check: |bench| Box::pin(free_again(bench)),
    },
];

/// A request with a field that nobody knows, of so many bytes.
async fn send_large(bench: &Bench, length: usize) -> Result<crate::bench::Ended, Finding> {
    let example = bench.good()?;
    let mut request = bytes::BytesMut::from(bench.request(&example.method, &example.request)?.as_ref());
    let number = bench.contracts().free_number(&example.method);
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut request);
    prost::encoding::encode_varint(length as u64, &mut request);
    request.resize(request.len() + length, 0);
    bench.ask_bytes(&example.method, request.freeze(), Context::default()).await
}

async fn message(bench: Bench) -> Held {
    let limit = bench.opened().limits.message_bytes as usize;
    if limit == 0 {
        return Err(Finding::NotAsked("the adapter declares no limit on messages".to_owned()));
    }
    is_invalid(&send_large(&bench, limit + 1).await?, &format!("a message of more than {limit} bytes"))?;
    bench.works_on("after a message beyond the limit").await
}

async fn large(bench: Bench) -> Held {
    let example = bench.good()?;
    let garbage = vec![0xff_u8; DEFAULT_BYTES];
    is_invalid(&bench.ask_bytes(&example.method, garbage, Context::default()).await?, "three mebibytes of garbage")?;
    bench.works_on("after three mebibytes of garbage").await
}

/// Makes so many slow calls at once; gives how many were throttled.
async fn crowd(bench: &Bench, calls: u32) -> Result<usize, Finding> {
    let slow = bench.file().slow.clone();
    let slow = slow.ok_or_else(|| Finding::NotProven(Need::Slow.to_give().unwrap_or_default().to_owned()))?;
    let mut throttled = 0;
    for ended in join_all((0..calls).map(|_| bench.ask(&slow.method, &slow.request, Context::default()))).await {
        match ended?.fault {
            None => {}
            Some(Fault::Throttled { retry_after, .. }) => {
                ensure(retry_after > Duration::ZERO, || "it is throttled, and not told when to come back".to_owned())?;
                throttled += 1;
            }
            Some(fault) => return broken(format!("one of {calls} calls at once is answered with {}", named(&fault))),
        }
    }
    Ok(throttled)
}

fn declared(bench: &Bench) -> Result<u32, Finding> {
    match bench.opened().limits.calls {
        0 => Err(Finding::NotAsked("the adapter declares no limit on calls".to_owned())),
        calls if calls > CALLS_MAX => {
            Err(Finding::NotAsked(format!("the declared limit of {calls} calls is beyond {CALLS_MAX}")))
        }
        calls => Ok(calls),
    }
}

async fn calls(bench: Bench) -> Held {
    let limit = declared(&bench)?;
    let throttled = crowd(&bench, limit).await?;
    ensure(throttled == 0, || format!("of {limit} calls, as declared, {throttled} are throttled"))?;
    let throttled = crowd(&bench, limit + 2).await?;
    ensure(throttled > 0, || format!("{} calls at once are carried, {limit} are declared", limit + 2))
}

async fn free_again(bench: Bench) -> Held {
    let limit = declared(&bench)?;
    crowd(&bench, limit + 2).await?;
    let example = bench.good()?;
    for _ in 0..3 {
        bench.right(&example).await.map_err(|finding| super::call::after(finding, "after as many calls as there may be"))?;
    }
    Ok(())
}
