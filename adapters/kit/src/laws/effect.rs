//! Effects: once for each key, whatever breaks down.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use passerelle_adapter::{Call, Context, Fault, Messages};

use super::call::is_invalid;
use crate::bench::{Bench, Ended, named};
use crate::contract::{differs_each_time, unique};
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::proxy::{Disturbance, Proxy};
use crate::subject::EffectExample;

/// How often what was not done is asked for again.
const ATTEMPTS: usize = 40;
/// Between attempts.
const AGAIN: Duration = Duration::from_millis(50);

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "effect.once",
        title: "A call has one effect, which the proof reads back",
        why: "An answer without its effect is a promise that nobody keeps.",
        mend: "Answer when the system behind has confirmed, and send its request once.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(once(bench)),
    },
    Law {
        id: "effect.same-key",
        title: "The same key with the same request has one effect and one answer",
        why: "The bus asks again under the same key when an answer was lost: without this law the customer pays twice.",
        mend: "Keep key and answer where the effect is kept, in the same transaction; answer a known key from there.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(same_key(bench)),
    },
    Law {
        id: "effect.same-key-at-once",
        title: "The same key several times at once has one effect",
        why: "A repetition may overtake the first attempt, which is still under way.",
        mend: "Let the key be unique where the effect is kept; who comes second waits, or is told Unavailable.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(same_key_at_once(bench)),
    },
    Law {
        id: "effect.other-request",
        title: "A key that was used for another request is not answered with that one's answer",
        why: "The caller would believe that his request was done, and it never was.",
        mend: "Keep a digest of the request with the key; refuse another one as Rejected (INVALID).",
        needs: &[Need::Effect],
        check: |bench| Box::pin(other_request(bench)),
    },
    Law {
        id: "effect.keys-apart",
        title: "Two keys are two effects",
        why: "An adapter that takes two wishes for one loses the second.",
        mend: "Compare keys whole, letter by letter.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(keys_apart(bench)),
    },
    Law {
        id: "effect.no-key",
        title: "Two calls without a key are two effects",
        why: "Without a key nobody said that they are the same.",
        mend: "Take an empty key for none: keep and compare nothing.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(no_key(bench)),
    },
    Law {
        id: "effect.long-key",
        title: "A key of 256 bytes is kept whole, a longer one is refused",
        why: "A key that is cut silently is equal to others.",
        mend: "Take keys up to 256 bytes; answer a longer one with Rejected (INVALID), before any effect.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(long_key(bench)),
    },
    Law {
        id: "effect.deadline-passed",
        title: "A call whose deadline has passed has no effect, or the one that its key answers for",
        why: "The caller has been told that it failed; an effect that comes later surprises everybody.",
        mend: "Look at the deadline just before the effect is asked for.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(deadline_passed(bench)),
    },
    Law {
        id: "effect.unavailable",
        title: "What is answered with Unavailable has had no effect",
        why: "The bus does it again without looking: twice, if this is not true.",
        mend: "Answer Unavailable only when no byte of the request can have reached the system.",
        needs: &[Need::Effect, Need::Behind],
        check: |bench| Box::pin(unavailable(bench)),
    },
    Law {
        id: "effect.cut-answer",
        title: "An answer lost after the effect is told as unknown, and repeating does not do it twice",
        why: "This is the moment in which payments are lost or doubled.",
        mend: "When the connection breaks after the request was sent, answer Fault.unknown; look the key up before it is done again.",
        needs: &[Need::Effect, Need::Behind],
        check: |bench| Box::pin(cut_answer(bench)),
    },
    Law {
        id: "effect.cut-anywhere",
        title: "Wherever the connection is cut, the answer is true and the effect happens once",
        why: "Networks do not choose a good moment.",
        mend: "For each step towards the system behind, ask: what is known when exactly this one fails?",
        needs: &[Need::Effect, Need::Behind],
        check: |bench| Box::pin(cut_anywhere(bench)),
    },
    Law {
        id: "effect.cut-request",
        title: "A request that was cut off on its way has no effect, or is told as unknown",
        why: "Half a request may have been understood.",
        mend: "Once a byte of the request was written, answer Unknown when the connection breaks.",
        needs: &[Need::Effect, Need::Behind],
        check: |bench| Box::pin(cut_request(bench)),
    },
    Law {
        id: "effect.cancelled",
        title: "A cancelled call has at most one effect, and repeating it makes it one",
        why: "Channels leave in the middle, and ask again.",
        mend: "Let the effect and its key be one step: either both are there or none.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(cancelled(bench)),
    },
];

/// An effect asked for under one key, with one request.
pub(super) struct Wish {
    pub(super) bench: Bench,
    pub(super) effect: EffectExample,
    pub(super) request: Bytes,
    pub(super) key: String,
    before: i64,
}

impl Wish {
    pub(super) async fn new(bench: &Bench) -> Result<Self, Finding> {
        let effect = bench.file().effect.clone();
        let effect = effect.ok_or_else(|| Finding::NotProven(Need::Effect.to_give().unwrap_or_default().to_owned()))?;
        let request = bench.request(&effect.method, &effect.request)?;
        let before = bench.effects(&effect).await?;
        Ok(Self { bench: bench.clone(), effect, request, key: unique(), before })
    }

    pub(super) fn context(&self) -> Context {
        Context { idempotency_key: Some(self.key.clone()), ..Context::default() }
    }

    pub(super) async fn ask(&self) -> Result<Ended, Finding> {
        self.ask_in(self.context()).await
    }

    async fn ask_in(&self, context: Context) -> Result<Ended, Finding> {
        self.bench.ask_bytes(&self.effect.method, self.request.clone(), context).await
    }

    /// Asks, and wants an answer.
    pub(super) async fn done(&self) -> Result<Bytes, Finding> {
        answer(self.ask().await?, &self.effect.method)
    }

    /// Asks until it is answered.
    pub(super) async fn repeat(&self) -> Result<Bytes, Finding> {
        for _ in 0..ATTEMPTS {
            let ended = self.ask().await?;
            match &ended.fault {
                Some(
                    Fault::Unavailable { .. } | Fault::Unknown { .. } | Fault::Throttled { .. } | Fault::DeadlineExceeded { .. },
                ) => {
                    tokio::time::sleep(AGAIN).await;
                }
                _ => return answer(ended, &self.effect.method),
            }
        }
        broken(format!("asked again {ATTEMPTS} times under the same key, it is still not answered"))
    }

    /// How many effects there have been since.
    pub(super) async fn effects(&self) -> Result<i64, Finding> {
        Ok(self.bench.effects(&self.effect).await? - self.before)
    }

    /// That there have been so many effects.
    pub(super) async fn has(&self, expected: i64, when: &str) -> Held {
        let effects = self.effects().await?;
        ensure(effects == expected, || format!("{when} there are {effects} effects, not {expected}"))
    }
}

fn answer(ended: Ended, method: &str) -> Result<Bytes, Finding> {
    match (ended.fault, ended.messages.into_iter().next()) {
        (Some(fault), _) => broken(format!("{method} is answered with {}", named(&fault))),
        (None, None) => broken(format!("{method} is answered without a message")),
        (None, Some(answer)) => Ok(answer),
    }
}

async fn once(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    wish.done().await?;
    wish.has(1, "after one call").await
}

async fn same_key(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    let first = wish.done().await?;
    for _ in 0..3 {
        let again = wish.done().await?;
        ensure(again == first, || "asked again under the same key, the answer is another one".to_owned())?;
    }
    wish.has(1, "after four calls under one key").await
}

async fn same_key_at_once(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    let mut answers = Vec::new();
    for ended in join_all((0..8).map(|_| wish.ask())).await {
        let ended = ended?;
        match &ended.fault {
            None => answers.push(answer(ended, &wish.effect.method)?),
            // One that is still under way.
            Some(Fault::Unavailable { .. } | Fault::Throttled { .. } | Fault::Unknown { .. } | Fault::Rejected { .. }) => {}
            Some(fault) => return broken(format!("one of eight at once is answered with {}", named(fault))),
        }
    }
    answers.push(wish.repeat().await?);
    answers.dedup();
    ensure(answers.len() == 1, || "calls under one key at once got different answers".to_owned())?;
    wish.has(1, "after eight calls at once under one key").await
}

async fn other_request(bench: Bench) -> Held {
    let mut wish = Wish::new(&bench).await?;
    if !differs_each_time(&wish.effect.request) {
        return Err(Finding::NotProven("write {unique} in a field of effect.request, so that two requests differ".to_owned()));
    }
    wish.done().await?;
    wish.request = bench.request(&wish.effect.method, &wish.effect.request)?;
    let other = wish.ask().await?;
    match other.fault {
        Some(Fault::Rejected { .. }) => wish.has(1, "after a key was refused for another request").await,
        Some(fault) => broken(format!("a key used for another request is answered with {}, not with Rejected", named(&fault))),
        None => wish.has(2, "after another request under the key was answered as done").await,
    }
}

async fn keys_apart(bench: Bench) -> Held {
    let mut wish = Wish::new(&bench).await?;
    wish.done().await?;
    // Alike in all but one letter, at the beginning, at the end, and in case.
    let first = wish.key.clone();
    for key in [format!("{first}x"), format!("x{first}"), first.to_uppercase(), format!("{first} ")] {
        wish.key = key;
        wish.done().await?;
    }
    wish.has(5, "after five calls under five keys").await
}

async fn no_key(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    for context in [Context::default(), Context::default()] {
        answer(wish.ask_in(context).await?, &wish.effect.method)?;
    }
    wish.has(2, "after two calls without a key").await
}

async fn long_key(bench: Bench) -> Held {
    let mut wish = Wish::new(&bench).await?;
    let stem = unique().repeat(20);
    wish.key = stem.chars().take(256).collect();
    wish.done().await?;
    wish.key.pop();
    wish.key.push('x');
    wish.done().await?;
    wish.has(2, "after two keys of 256 bytes that differ in the last one").await?;
    wish.key = stem.chars().take(257).collect();
    is_invalid(&wish.ask().await?, "a key of 257 bytes")?;
    wish.has(2, "after a key that was refused").await
}

async fn deadline_passed(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    let ended = wish.ask_in(Context { deadline: Some(Instant::now()), ..wish.context() }).await?;
    let effects = wish.effects().await?;
    match &ended.fault {
        None => ensure(effects == 1, || format!("it was answered, and there are {effects} effects"))?,
        Some(Fault::DeadlineExceeded { .. } | Fault::Unknown { .. }) => {
            ensure(effects <= 1, || format!("there are {effects} effects of one call"))?;
        }
        Some(fault) => ensure(effects == 0, || format!("it is answered with {}, and has had an effect", named(fault)))?,
    }
    wish.repeat().await?;
    wish.has(1, "after the deadline passed and the call was repeated").await
}

async fn unavailable(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    bench.disturb(Disturbance::Refuse).await;
    let ended = wish.ask().await?;
    bench.disturb(Disturbance::None).await;
    match &ended.fault {
        Some(Fault::Unavailable { .. }) => wish.has(0, "after Unavailable").await?,
        Some(Fault::Unknown { .. } | Fault::DeadlineExceeded { .. }) => {}
        Some(fault) => return broken(format!("with the system behind away, it is answered with {}", named(fault))),
        None => return broken("with the system behind away, it is answered"),
    }
    wish.repeat().await?;
    wish.has(1, "after it was repeated").await
}

async fn cut_answer(bench: Bench) -> Held {
    let proxy = bench.proxy()?;
    for _ in 0..3 {
        let wish = Wish::new(&bench).await?;
        proxy.tell(Disturbance::CutAnswer(0)).await;
        let ended = wish.ask().await?;
        proxy.tell(Disturbance::None).await;
        is_true(&wish, &ended, "the answer was cut off").await?;
        wish.repeat().await?;
        wish.has(1, "after an answer was lost and the call repeated").await?;
    }
    Ok(())
}

/// That what was told fits the effects that there are.
pub(super) async fn is_true(wish: &Wish, ended: &Ended, when: &str) -> Held {
    let effects = wish.effects().await?;
    match &ended.fault {
        None => ensure(effects == 1, || format!("when {when}, it was answered, and there are {effects} effects")),
        Some(Fault::Unknown { .. } | Fault::DeadlineExceeded { .. }) => {
            ensure(effects == 0 || effects == 1, || format!("when {when}, there are {effects} effects of one call"))
        }
        Some(fault) => ensure(effects == 0, || {
            format!(
                "when {when}, it is answered with {}, which says that nothing happened; there are {effects} effects",
                named(fault)
            )
        }),
    }
}

async fn sweep(bench: &Bench, cut: impl Fn(usize) -> Disturbance, when: &str) -> Held {
    let proxy: &Proxy = bench.proxy()?;
    for bytes in [0, 1, 2, 3, 5, 9, 17, 40, 90, 200, 500] {
        let wish = Wish::new(bench).await?;
        // A new connection and an old one break in different ways.
        if bytes % 2 == 0 {
            proxy.hang_up().await;
        }
        proxy.tell(cut(bytes)).await;
        let ended = wish.ask().await?;
        proxy.tell(Disturbance::None).await;
        is_true(&wish, &ended, &format!("{when} after {bytes} bytes")).await?;
        wish.repeat().await?;
        wish.has(1, &format!("after {when} at {bytes} bytes and the call was repeated,")).await?;
    }
    Ok(())
}

async fn cut_anywhere(bench: Bench) -> Held {
    sweep(&bench, Disturbance::CutAnswer, "the answers were cut off").await
}

async fn cut_request(bench: Bench) -> Held {
    sweep(&bench, Disturbance::CutRequest, "the requests were cut off").await
}

async fn cancelled(bench: Bench) -> Held {
    for patience in [0, 1, 3, 10] {
        let wish = Wish::new(&bench).await?;
        let call =
            Call { method: wish.effect.method.clone(), messages: Messages::one(wish.request.clone()), context: wish.context() };
        let adapter = bench.adapter();
        // Whether it was answered before it was left does not matter.
        let _ = tokio::time::timeout(Duration::from_millis(patience), adapter.call(call)).await;
        wish.repeat().await?;
        wish.has(1, "after a call was cancelled and repeated").await?;
    }
    Ok(())
}
