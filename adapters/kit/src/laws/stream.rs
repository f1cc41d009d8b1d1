//! Streams: their order, their end, what breaks off, who leaves early.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use passerelle_adapter::{Context, Messages};

use super::call::after;
use crate::bench::{Bench, named};
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::proxy::Disturbance;
use crate::subject::StreamExample;

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "stream.complete",
        title: "A stream gives all of its messages, and then its end",
        why: "A list that stops early looks complete to who reads it.",
        mend: "Send every message before the end, and the end only after the last one.",
        needs: &[Need::Stream],
        check: |bench| Box::pin(complete(bench)),
    },
    Law {
        id: "stream.of-the-contract",
        title: "Every message of a stream is one of the contract's type",
        why: "A channel that cannot read the tenth message has wasted the nine before.",
        mend: "Encode each message with the type of the contract that Configure gave.",
        needs: &[Need::Stream],
        check: |bench| Box::pin(of_the_contract(bench)),
    },
    Law {
        id: "stream.order",
        title: "The same stream comes in the same order each time",
        why: "Chunks out of order are another document; pages out of order have holes.",
        mend: "Send messages from one task, in the order of the system behind.",
        needs: &[Need::Stream],
        check: |bench| Box::pin(order(bench)),
    },
    Law {
        id: "stream.slow-reader",
        title: "A reader who takes his time gets the same stream",
        why: "What is sent without waiting for the reader is dropped, or fills the memory.",
        mend: "Wait for credit before the next message; keep nothing more than that.",
        needs: &[Need::Stream],
        check: |bench| Box::pin(slow_reader(bench)),
    },
    Law {
        id: "stream.independent",
        title: "Several streams at the same time are each whole",
        why: "Streams that share a buffer or a connection give one caller another one's data.",
        mend: "Keep the state of a stream with the call, not with the adapter.",
        needs: &[Need::Stream],
        check: |bench| Box::pin(independent(bench)),
    },
    Law {
        id: "stream.left-early",
        title: "A reader who leaves early harms nobody",
        why: "What a cancelled stream keeps is lost to all others, until nothing is left.",
        mend: "End the work and give back what it holds when the call is cancelled.",
        needs: &[Need::Stream, Need::Call],
        check: |bench| Box::pin(left_early(bench)),
    },
    Law {
        id: "stream.left-early.frees-connections",
        title: "Streams that were left give their connections back",
        why: "The system behind allows so many connections; leaked ones are an outage by evening.",
        mend: "Close the connection of a stream that was cancelled, or read it to its end.",
        needs: &[Need::Stream, Need::Behind],
        check: |bench| Box::pin(frees_connections(bench)),
    },
    Law {
        id: "stream.broken-off",
        title: "A stream that breaks off ends with a fault, never with its end",
        why: "Half a document that looks whole is worse than none.",
        mend: "Tell the end only when the system behind has said that it was all; an end of its connection says nothing.",
        needs: &[Need::Stream, Need::Behind],
        check: |bench| Box::pin(broken_off(bench)),
    },
    Law {
        id: "stream.refused-at-once",
        title: "A stream's request that cannot be read is rejected before any message",
        why: "A message that came is taken for data.",
        mend: "Check the request before the first message is sent.",
        needs: &[Need::Stream],
        check: |bench| Box::pin(refused_at_once(bench)),
    },
];

async fn whole(bench: &Bench, example: &StreamExample) -> Result<Vec<Bytes>, Finding> {
    let ended = bench.ask(&example.method, &example.request, Context::default()).await?;
    match &ended.fault {
        Some(fault) => {
            broken(format!("the stream {} ends with {} after {} messages", example.method, named(fault), ended.messages.len()))
        }
        None => Ok(ended.messages),
    }
}

fn example(bench: &Bench) -> Result<&StreamExample, Finding> {
    bench.file().stream.as_ref().ok_or_else(|| Finding::NotProven(Need::Stream.to_give().unwrap_or_default().to_owned()))
}

async fn complete(bench: Bench) -> Held {
    let example = example(&bench)?;
    let messages = whole(&bench, example).await?.len();
    ensure(messages == example.messages, || format!("{} messages came, the example has {}", messages, example.messages))
}

async fn of_the_contract(bench: Bench) -> Held {
    let example = example(&bench)?;
    for (number, message) in whole(&bench, example).await?.iter().enumerate() {
        let read = bench.contracts().answer(&example.method, message);
        read.map_err(|error| Finding::Broken(format!("message {}: {error}", number + 1)))?;
    }
    Ok(())
}

async fn order(bench: Bench) -> Held {
    let example = example(&bench)?;
    let first = whole(&bench, example).await?;
    for _ in 0..3 {
        let again = whole(&bench, example).await?;
        ensure(first.len() == again.len(), || format!("{} messages came, then {}", first.len(), again.len()))?;
        let other = first.iter().zip(&again).position(|(first, again)| first != again);
        ensure(other.is_none(), || format!("message {} is another one when asked again", other.unwrap_or_default() + 1))?;
    }
    Ok(())
}

async fn slow_reader(bench: Bench) -> Held {
    let example = example(&bench)?;
    let expected = whole(&bench, example).await?;
    let request = bench.request(&example.method, &example.request)?;
    let answer = bench.begin(&example.method, Messages::one(request), Context::default()).await?;
    let mut answer = answer.map_err(|fault| Finding::Broken(format!("a slow reader is answered with {}", named(&fault))))?;
    let mut messages = Vec::new();
    while let Some(next) = bench.next(&example.method, &mut answer).await? {
        let next = next.map_err(|fault| Finding::Broken(format!("a slow reader's stream ends with {}", named(&fault))))?;
        messages.push(next);
        if messages.len() % 8 == 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    ensure(messages == expected, || {
        format!("a slow reader got {} messages, others {}, or not the same", messages.len(), expected.len())
    })
}

async fn independent(bench: Bench) -> Held {
    let example = example(&bench)?;
    let expected = whole(&bench, example).await?;
    for stream in join_all((0..4).map(|_| whole(&bench, example))).await {
        let stream = stream.map_err(|finding| after(finding, "beside others"))?;
        ensure(stream == expected, || "a stream beside others is not the same as alone".to_owned())?;
    }
    Ok(())
}

async fn leave(bench: &Bench, times: usize) -> Held {
    let example = example(bench)?;
    for _ in 0..times {
        let request = bench.request(&example.method, &example.request)?;
        let answer = bench.begin(&example.method, Messages::one(request), Context::default()).await?;
        let mut answer = answer
            .map_err(|fault| Finding::Broken(format!("after others left early, a stream is answered with {}", named(&fault))))?;
        bench.next(&example.method, &mut answer).await?;
    }
    Ok(())
}

async fn left_early(bench: Bench) -> Held {
    leave(&bench, 40).await?;
    let example = example(&bench)?;
    let messages = whole(&bench, example).await.map_err(|finding| after(finding, "after 40 readers left early"))?;
    ensure(messages.len() == example.messages, || format!("after 40 readers left early, {} messages came", messages.len()))?;
    bench.works_on("after 40 readers left early").await
}

async fn frees_connections(bench: Bench) -> Held {
    let proxy = bench.proxy()?;
    leave(&bench, 10).await?;
    let before = proxy.open();
    leave(&bench, 30).await?;
    let begin = std::time::Instant::now();
    // Closing takes its moment.
    while proxy.open() > before + 5 && begin.elapsed() < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ensure(proxy.open() <= before + 5, || {
        format!("30 readers left early, and {} more connections are open behind", proxy.open() - before)
    })
}

async fn broken_off(bench: Bench) -> Held {
    let proxy = bench.proxy()?;
    let example = example(&bench)?;
    for bytes in [1, 7, 64, 200] {
        proxy.hang_up().await;
        proxy.tell(Disturbance::CutAnswer(bytes)).await;
        let ended = bench.ask(&example.method, &example.request, Context::default()).await?;
        proxy.tell(Disturbance::None).await;
        let (messages, all) = (ended.messages.len(), example.messages);
        ensure(ended.fault.is_some() || messages == all, || {
            format!(
                "the system behind broke off after {bytes} bytes, and the stream ended as if its {messages} messages were all ({all} are)"
            )
        })?;
    }
    bench.works_on("after a stream broke off").await
}

async fn refused_at_once(bench: Bench) -> Held {
    let example = example(&bench)?;
    let ended = bench.ask_bytes(&example.method, super::garbage::TRUNCATED, Context::default()).await?;
    ensure(ended.messages.is_empty(), || format!("{} messages came before the refusal", ended.messages.len()))?;
    super::call::is_invalid(&ended, "a stream's request that cannot be read")
}
