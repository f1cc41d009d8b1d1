//! Several calls at the same time: each has its own answer, and none waits for another.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use passerelle_adapter::{Context, Fault};

use super::call::after;
use crate::bench::{Bench, named};
use crate::law::{Finding, Held, Law, Need, broken, ensure};

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "concurrency.own-answers",
        title: "Of many calls at the same time each gets its own answer",
        why: "Answers that are swapped show one customer another one's data.",
        mend: "Match answers to requests by connection or by number, never by the order of a shared queue.",
        needs: &[Need::TwoCalls],
        check: |bench| Box::pin(own_answers(bench)),
    },
    Law {
        id: "concurrency.slow-beside-quick",
        title: "A slow call does not hold up quick ones",
        why: "One report must not stop the tills.",
        mend: "Hold no lock and no single connection while the system behind is waited for.",
        needs: &[Need::Slow, Need::Call],
        check: |bench| Box::pin(slow_beside_quick(bench)),
    },
    Law {
        id: "concurrency.slow-at-once",
        title: "Slow calls run beside each other",
        why: "An adapter that carries one call at a time is a queue in disguise.",
        mend: "Carry each call on its own; bound them by `Limits.calls`, and refuse beyond as Throttled.",
        needs: &[Need::Slow],
        check: |bench| Box::pin(slow_at_once(bench)),
    },
    Law {
        id: "concurrency.refusals-beside",
        title: "Refusals beside good calls do not touch them",
        why: "One caller's mistake must not be another one's failure.",
        mend: "Keep the state of a call with the call.",
        needs: &[Need::Call, Need::Refusal],
        check: |bench| Box::pin(refusals_beside(bench)),
    },
    Law {
        id: "concurrency.streams-beside",
        title: "Calls are answered while streams are open",
        why: "A reader who takes his time must not stop others.",
        mend: "Give streams connections of their own, or share them fairly.",
        needs: &[Need::Call, Need::Stream],
        check: |bench| Box::pin(streams_beside(bench)),
    },
    Law {
        id: "concurrency.effects-apart",
        title: "Effects at the same time are all there",
        why: "Two writers who each read, add and write lose one of both.",
        mend: "Let the system behind add, or guard what is read and written by a version.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(effects_apart(bench)),
    },
];

/// Calls at the same time.
const CALLS: usize = 32;

async fn own_answers(bench: Bench) -> Held {
    let examples = &bench.file().calls;
    let calls = (0..CALLS).map(|number| {
        let example = &examples[number % examples.len()];
        let bench = &bench;
        async move {
            let mut ended = bench.ask(&example.method, &example.request, Context::default()).await?;
            for _ in 0..20 {
                if !matches!(ended.fault, Some(Fault::Throttled { .. })) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                ended = bench.ask(&example.method, &example.request, Context::default()).await?;
            }
            bench.is_right(example, &ended).map_err(|finding| after(finding, &format!("beside {} others", CALLS - 1)))
        }
    });
    join_all(calls).await.into_iter().collect()
}

async fn slow_beside_quick(bench: Bench) -> Held {
    let (slow, quick) = (slow(&bench)?, bench.good()?);
    let long = bench.ask(&slow.method, &slow.request, Context::default());
    let short = async {
        // The slow one is under way by then.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begin = Instant::now();
        bench.right(&quick).await.map_err(|finding| after(finding, "beside a slow call"))?;
        Ok::<_, Finding>(begin.elapsed())
    };
    let (_, took) = join(long, short).await;
    let (took, most) = (took?.as_millis(), u128::from(slow.takes_ms) / 2);
    ensure(took < most, || format!("beside a slow call, a quick one took {took} ms"))
}

async fn slow_at_once(bench: Bench) -> Held {
    let slow = slow(&bench)?;
    let begin = Instant::now();
    let calls = join_all((0..4).map(|_| bench.ask(&slow.method, &slow.request, Context::default()))).await;
    let took = begin.elapsed();
    for ended in calls {
        match ended?.fault {
            None | Some(Fault::Throttled { .. }) => {}
            Some(fault) => return broken(format!("one of four slow calls is answered with {}", named(&fault))),
        }
    }
    let most = Duration::from_millis(slow.takes_ms * 5 / 2);
    ensure(took < most, || format!("four slow calls at once took {} ms, one takes {}", took.as_millis(), slow.takes_ms))
}

fn slow(bench: &Bench) -> Result<crate::subject::SlowExample, Finding> {
    let slow = bench.file().slow.clone();
    slow.ok_or_else(|| Finding::NotProven(Need::Slow.to_give().unwrap_or_default().to_owned()))
}

async fn refusals_beside(bench: Bench) -> Held {
    let example = bench.good()?;
    let refusals = &bench.file().refusals;
    let half = bench.at_once() / 2;
    let wrong = join_all((0..half).map(|number| {
        let refusal = &refusals[number % refusals.len()];
        bench.ask(&refusal.method, &refusal.request, Context::default())
    }));
    let (_, right) = join(wrong, join_all((0..half).map(|_| bench.right(&example)))).await;
    for ended in right {
        ended.map_err(|finding| after(finding, "beside refusals"))?;
    }
    Ok(())
}

async fn streams_beside(bench: Bench) -> Held {
    let example = bench.good()?;
    let stream = bench.file().stream.clone();
    let stream = stream.ok_or_else(|| Finding::NotProven(Need::Stream.to_give().unwrap_or_default().to_owned()))?;
    let mut open = Vec::new();
    for _ in 0..4 {
        let request = bench.request(&stream.method, &stream.request)?;
        let answer = bench.begin(&stream.method, passerelle_adapter::Messages::one(request), Context::default()).await?;
        let mut answer = answer.map_err(|fault| Finding::Broken(format!("a stream is answered with {}", named(&fault))))?;
        bench.next(&stream.method, &mut answer).await?;
        open.push(answer);
    }
    for _ in 0..4 {
        bench.right(&example).await.map_err(|finding| after(finding, "while four streams are open"))?;
    }
    Ok(())
}

async fn effects_apart(bench: Bench) -> Held {
    let mut wishes = Vec::new();
    for _ in 0..8 {
        wishes.push(super::effect::Wish::new(&bench).await?);
    }
    for done in join_all(wishes.iter().map(super::effect::Wish::repeat)).await {
        done?;
    }
    wishes[0].has(8, "after eight calls at once under eight keys").await
}
