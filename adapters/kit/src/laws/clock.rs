//! The clock jumps: deadlines and effects do not care.

use std::time::{Duration, Instant};

use passerelle_adapter::Context;

use super::call::after;
use super::effect::Wish;
use crate::bench::{Bench, named};
use crate::law::{Finding, Held, Law, Need, broken};

/// A day and a bit, in seconds.
const JUMP: i64 = 100_000;

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "clock.forward",
        title: "When the clock jumps forward, calls with time left are answered",
        why: "Clocks are set: by hand, by NTP, by a virtual machine that was asleep.",
        mend: "Reckon deadlines with the monotonic clock.",
        needs: &[Need::Clock, Need::Call],
        check: |bench| Box::pin(jump(bench, JUMP)),
    },
    Law {
        id: "clock.back",
        title: "When the clock jumps back, calls are answered and deadlines kept",
        why: "A deadline that is a day away holds its place for a day.",
        mend: "Reckon deadlines with the monotonic clock.",
        needs: &[Need::Clock, Need::Call],
        check: |bench| Box::pin(jump(bench, -JUMP)),
    },
    Law {
        id: "clock.keys",
        title: "When the clock jumps, a key is still known",
        why: "Keys that are thrown away by age are thrown away all at once.",
        mend: "Keep keys longer than any clock is wrong, or tell age by something else.",
        needs: &[Need::Clock, Need::Effect],
        check: |bench| Box::pin(keys(bench)),
    },
];

async fn set(bench: &Bench, seconds: i64) -> Held {
    bench.subject().set_clock(seconds).await.map_err(Finding::NotProven)
}

async fn jump(bench: Bench, seconds: i64) -> Held {
    let example = bench.good()?;
    bench.right(&example).await?;
    set(&bench, seconds).await?;
    let called = async {
        for _ in 0..3 {
            let context = Context { deadline: Some(Instant::now() + Duration::from_secs(10)), ..Context::default() };
            let ended = bench.ask(&example.method, &example.request, context).await?;
            bench
                .is_right(&example, &ended)
                .map_err(|finding| after(finding, &format!("after the clock jumped by {seconds} s")))?;
        }
        let Some(slow) = &bench.file().slow else { return Ok(()) };
        let context = Context { deadline: Some(Instant::now() + Duration::from_millis(300)), ..Context::default() };
        let ended = bench.ask(&slow.method, &slow.request, context).await?;
        match &ended.fault {
            Some(_) if ended.took < Duration::from_secs(1) => Ok(()),
            Some(fault) => broken(format!(
                "after the clock jumped, a deadline of 300 ms passed after {} ms: {}",
                ended.took.as_millis(),
                named(fault)
            )),
            None => broken("after the clock jumped, a deadline is not kept"),
        }
    };
    let held = called.await;
    set(&bench, 0).await?;
    held
}

async fn keys(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    wish.done().await?;
    set(&bench, JUMP).await?;
    let again = wish.done().await;
    set(&bench, 0).await?;
    again?;
    wish.has(1, "after a call, a jump of the clock and the same call").await
}
