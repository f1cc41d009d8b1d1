//! Faults between the adapter and the system behind: their class, no wrong answer, and the way back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use passerelle_adapter::{Context, Fault};

use super::call::after;
use crate::bench::{Bench, Ended, named};
use crate::law::{Held, Law, Need, broken, ensure};
use crate::proxy::Disturbance;
use crate::subject::Example;

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "fault.system-down",
        title: "A system that cannot be reached is told as unavailable, soon",
        why: "Unavailable is what lets the bus go elsewhere, or wait; a business no would reach the customer.",
        mend: "Answer Fault.unavailable when connecting fails, within the time that connecting may take.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(system_down(bench)),
    },
    Law {
        id: "fault.system-back",
        title: "When the system is back, calls work again by themselves",
        why: "Nobody is there at night to restart an adapter.",
        mend: "Connect anew for the next call, with a pause of seconds at most.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(system_back(bench)),
    },
    Law {
        id: "fault.cut-idle",
        title: "A connection that was closed while nobody called costs at most one call",
        why: "Firewalls and hosts close idle connections every night.",
        mend: "Look whether a kept connection is still open before it is used; throw away all that broke.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(cut_idle(bench)),
    },
    Law {
        id: "fault.cut-answer",
        title: "Half an answer is no answer",
        why: "What was not said is not zero: a balance that lacks its last digits is another balance.",
        mend: "Read the whole length that the answer announces; a connection that ends before it is Fault.unknown.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(cut_answer(bench)),
    },
    Law {
        id: "fault.cut-request",
        title: "A request that was cut off is never answered as done",
        why: "The system has not understood it.",
        mend: "Wait for the system's answer; its connection ending is none.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(cut_request(bench)),
    },
    Law {
        id: "fault.slow-answer",
        title: "A slow answer is the right answer",
        why: "Systems are slow on the first of the month; an adapter must not add failures to it.",
        mend: "Wait as long as the caller does, not as long as you think right.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(slow_answer(bench)),
    },
    Law {
        id: "fault.trickle",
        title: "An answer that comes in small pieces is the right answer",
        why: "TCP keeps no messages together; on the day of the long line, one read is half an answer.",
        mend: "Read until the answer is complete by its own length or mark, however many reads it takes.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(trickle(bench)),
    },
    Law {
        id: "fault.duplicate",
        title: "An answer that comes twice is not taken for the next call's answer",
        why: "From then on every customer would see the data of the one before.",
        mend: "Match answers to requests by number, or close a connection that has more to say than was asked.",
        needs: &[Need::TwoCalls, Need::Behind],
        check: |bench| Box::pin(duplicate(bench)),
    },
    Law {
        id: "fault.garbage",
        title: "Garbage from the system behind is a fault, not an answer",
        why: "Bytes that were not understood must not become amounts.",
        mend: "Check what is read; what cannot be read is Fault.unknown.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(garbage(bench)),
    },
    Law {
        id: "fault.reorder",
        title: "Answers that overtake each other reach those who asked",
        why: "With several connections, the order of answers is chance.",
        mend: "Match answers to requests by connection or by number.",
        needs: &[Need::TwoCalls, Need::Behind],
        check: |bench| Box::pin(reorder(bench)),
    },
    Law {
        id: "fault.words",
        title: "Every fault says something, in at most 1,024 characters",
        why: "An empty fault sends people to the adapter's author; a long one holds things that nobody meant to tell.",
        mend: "Say where, what, and what to do, in a sentence or two.",
        needs: &[],
        check: |bench| Box::pin(words(bench)),
    },
    Law {
        id: "fault.storm",
        title: "After all sorts of faults in a row, calls work as before",
        why: "Every fault leaves something behind in an adapter that does not clean up.",
        mend: "Leave no way out of a call on which a connection, a lock or a place is kept.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(storm(bench)),
    },
];

/// How long an adapter may take to find out that nobody is there.
const SOON: Duration = Duration::from_secs(5);

async fn ask(bench: &Bench, example: &Example) -> Result<Ended, crate::law::Finding> {
    bench.ask(&example.method, &example.request, Context::default()).await
}

async fn system_down(bench: Bench) -> Held {
    let example = bench.good()?;
    bench.proxy()?.hang_up().await;
    bench.disturb(Disturbance::Refuse).await;
    // A kept connection that was cut may break in another way than a new one that is refused.
    let first = ask(&bench, &example).await?;
    let second = ask(&bench, &example).await?;
    bench.disturb(Disturbance::None).await;
    for ended in [&first, &second] {
        ensure(ended.took < SOON, || format!("it took {} ms to say that nobody is there", ended.took.as_millis()))?;
        ensure(ended.fault.is_some(), || "it is answered with the system behind away".to_owned())?;
    }
    match second.fault {
        // The proxy closes what it has accepted: for some clients the request was under way by then.
        Some(Fault::Unavailable { .. } | Fault::Unknown { .. }) | None => Ok(()),
        Some(fault) => broken(format!("a system that is away is told as {}", named(&fault))),
    }
}

async fn system_back(bench: Bench) -> Held {
    let example = bench.good()?;
    bench.disturb(Disturbance::Refuse).await;
    for _ in 0..5 {
        ask(&bench, &example).await?;
    }
    bench.disturb(Disturbance::None).await;
    bench.works_on("after the system behind came back").await
}

async fn cut_idle(bench: Bench) -> Held {
    let example = bench.good()?;
    for _ in 0..3 {
        // Some connections are kept open by then.
        join_all((0..4).map(|_| ask(&bench, &example))).await;
        bench.proxy()?.hang_up().await;
        let mut failed = 0;
        for _ in 0..6 {
            let ended = ask(&bench, &example).await?;
            if ended.fault.is_some() {
                failed += 1;
            } else {
                bench.is_right(&example, &ended).map_err(|finding| after(finding, "after idle connections were closed"))?;
            }
        }
        ensure(failed <= 1, || format!("after idle connections were closed, {failed} of 6 calls failed"))?;
    }
    Ok(())
}

async fn cut(bench: &Bench, example: &Example, how: Disturbance, what: &str) -> Held {
    bench.proxy()?.hang_up().await;
    bench.disturb(how).await;
    let ended = ask(bench, example).await?;
    bench.disturb(Disturbance::None).await;
    match &ended.fault {
        // Too few bytes were cut, or the adapter may ask again.
        None => bench.is_right(example, &ended).map_err(|finding| after(finding, what)),
        Some(Fault::Unknown { .. } | Fault::Unavailable { .. } | Fault::DeadlineExceeded { .. }) => Ok(()),
        Some(fault) => broken(format!("{what}: it is told as {}", named(fault))),
    }
}

async fn cut_answer(bench: Bench) -> Held {
    let example = bench.good()?;
    for bytes in [0, 1, 2, 3, 4, 6, 10, 16, 24, 40, 70, 120] {
        cut(&bench, &example, Disturbance::CutAnswer(bytes), &format!("an answer cut off after {bytes} bytes")).await?;
    }
    bench.works_on("after answers were cut off").await
}

async fn cut_request(bench: Bench) -> Held {
    let example = bench.good()?;
    for bytes in [0, 1, 2, 4, 8] {
        cut(&bench, &example, Disturbance::CutRequest(bytes), &format!("a request cut off after {bytes} bytes")).await?;
    }
    bench.works_on("after requests were cut off").await
}

async fn slow_answer(bench: Bench) -> Held {
    let example = bench.good()?;
    bench.disturb(Disturbance::Delay(Duration::from_millis(700))).await;
    bench.right(&example).await.map(drop).map_err(|finding| after(finding, "with 700 ms more"))
}

async fn trickle(bench: Bench) -> Held {
    let example = bench.good()?;
    bench.disturb(Disturbance::Trickle).await;
    bench.right(&example).await.map(drop).map_err(|finding| after(finding, "with its answer in small pieces"))
}

async fn duplicate(bench: Bench) -> Held {
    let examples = bench.file().calls.clone();
    bench.proxy()?.hang_up().await;
    bench.disturb(Disturbance::Duplicate).await;
    for number in 0..examples.len() * 3 {
        let example = &examples[number % examples.len()];
        let ended = ask(&bench, example).await?;
        // A connection that was given up may cost a call, not an answer.
        if ended.fault.is_none() {
            bench.is_right(example, &ended).map_err(|finding| after(finding, "after answers came twice"))?;
        }
    }
    bench.disturb(Disturbance::None).await;
    for example in &examples {
        let ended = ask(&bench, example).await?;
        if ended.fault.is_none() {
            bench.is_right(example, &ended).map_err(|finding| after(finding, "after answers came twice"))?;
        }
    }
    bench.works_on("after answers came twice").await
}

async fn garbage(bench: Bench) -> Held {
    let example = bench.good()?;
    bench.disturb(Disturbance::Garbage).await;
    for _ in 0..4 {
        let ended = ask(&bench, &example).await?;
        match &ended.fault {
            Some(Fault::Unknown { .. } | Fault::Unavailable { .. } | Fault::DeadlineExceeded { .. }) => {}
            Some(fault) => return broken(format!("an answer of random bytes is told as {}", named(fault))),
            None => return broken("an answer of random bytes is taken for one"),
        }
    }
    bench.disturb(Disturbance::None).await;
    bench.works_on("after garbage").await
}

async fn reorder(bench: Bench) -> Held {
    let examples = &bench.file().calls;
    bench.disturb(Disturbance::Overtake).await;
    let calls = (0..bench.at_once()).map(|number| {
        let example = &examples[number % examples.len()];
        let bench = &bench;
        async move { bench.right(example).await.map(drop).map_err(|finding| after(finding, "while answers overtake each other")) }
    });
    join_all(calls).await.into_iter().collect()
}

async fn words(bench: Bench) -> Held {
    // What was heard until now, and at least these two.
    bench.ask_bytes("kit.nowhere.v1.Nothing/Nothing", bytes::Bytes::new(), Context::default()).await?;
    if let Some(name) = bench.contracts().names().first() {
        bench.ask_bytes(name, super::garbage::TRUNCATED, Context::default()).await?;
    }
    for words in bench.heard() {
        ensure(!words.trim().is_empty(), || "a fault says nothing".to_owned())?;
        let length = words.chars().count();
        ensure(length <= 1_024, || format!("a fault has {length} characters"))?;
    }
    Ok(())
}

async fn storm(bench: Bench) -> Held {
    let example = bench.good()?;
    let begin = Instant::now();
    let weather = [
        Disturbance::Refuse,
        Disturbance::CutAnswer(3),
        Disturbance::Garbage,
        Disturbance::CutRequest(2),
        Disturbance::Duplicate,
        Disturbance::CutAnswer(0),
    ];
    for round in 0..6 {
        bench.disturb(weather[round % weather.len()]).await;
        join_all((0..8).map(|_| ask(&bench, &example))).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        if begin.elapsed() > Duration::from_secs(20) {
            break;
        }
    }
    bench.disturb(Disturbance::None).await;
    bench.works_on("after a storm of faults").await?;
    for _ in 0..10 {
        bench.right(&example).await.map_err(|finding| after(finding, "after a storm of faults"))?;
    }
    Ok(())
}
