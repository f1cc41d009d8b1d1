//! Look-up: what became of an operation whose answer was lost.

use passerelle_adapter::{Fault, Lookup};

use super::effect::Wish;
use crate::bench::{Bench, named};
use crate::contract::unique;
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::proxy::Disturbance;

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "lookup.undeclared",
        title: "Look-up that is not declared is refused as unimplemented",
        why: "An answer that is made up decides whether a payment is done again.",
        mend: "Answer Fault.unimplemented, or declare the ability and keep its laws.",
        needs: &[],
        check: |bench| Box::pin(undeclared(bench)),
    },
    Law {
        id: "lookup.done",
        title: "What was done is found, with the answer that was given",
        why: "The channel gets this answer in place of the one that was lost.",
        mend: "Keep the answer beside its key, and give it byte by byte.",
        needs: &[Need::Lookup, Need::Effect],
        check: |bench| Box::pin(done(bench)),
    },
    Law {
        id: "lookup.never-asked",
        title: "What was never asked for is not done",
        why: "Done would lose the operation; Undecided would call a person for nothing.",
        mend: "Answer NotDone to a key that neither you nor the system behind knows.",
        needs: &[Need::Lookup],
        check: |bench| Box::pin(never_asked(bench)),
    },
    Law {
        id: "lookup.after-cut",
        title: "When the answer was lost after the effect, look-up never says that it was not done",
        why: "NotDone is leave to do it again: the customer pays twice.",
        mend: "Look in the system behind, not in what you remember; say Undecided where it cannot be told.",
        needs: &[Need::Lookup, Need::Effect, Need::Behind],
        check: |bench| Box::pin(after_cut(bench)),
    },
    Law {
        id: "lookup.same-as-repeating",
        title: "Look-up and repeating give the same answer",
        why: "Which of both the bus does is chance; the channel must not see a difference.",
        mend: "Answer both from the same place.",
        needs: &[Need::Lookup, Need::Effect],
        check: |bench| Box::pin(same_as_repeating(bench)),
    },
    Law {
        id: "lookup.has-no-effect",
        title: "Looking up changes nothing",
        why: "It is asked as often as it takes.",
        mend: "Read only.",
        needs: &[Need::Lookup, Need::Effect],
        check: |bench| Box::pin(has_no_effect(bench)),
    },
    Law {
        id: "lookup.system-down",
        title: "While the system behind is away, what was done is not called not done",
        why: "Not to see it is no proof that it is not there.",
        mend: "Answer Fault.unavailable when the system cannot be asked.",
        needs: &[Need::Lookup, Need::Effect, Need::Behind],
        check: |bench| Box::pin(system_down(bench)),
    },
    Law {
        id: "lookup.bad-key",
        title: "An empty key and one of 257 bytes are never found",
        why: "No operation has such a key; whatever is found is another one's answer.",
        mend: "Answer Rejected (INVALID), or NotDone.",
        needs: &[Need::Lookup],
        check: |bench| Box::pin(bad_key(bench)),
    },
];

async fn look(bench: &Bench, key: &str) -> Result<Result<Lookup, Fault>, Finding> {
    let adapter = bench.adapter();
    let looking = tokio::time::timeout(std::time::Duration::from_secs(20), adapter.lookup(key));
    let found = looking.await.map_err(|_| Finding::Broken("look-up hangs: nothing came in 20 s".to_owned()))?;
    if let Err(fault) = &found {
        bench.hear(&fault.to_string());
    }
    Ok(found)
}

fn told(found: &Result<Lookup, Fault>) -> String {
    match found {
        Ok(Lookup::Done(_)) => "Done".to_owned(),
        Ok(Lookup::NotDone) => "NotDone".to_owned(),
        Ok(Lookup::Undecided) => "Undecided".to_owned(),
        Err(fault) => named(fault),
    }
}

async fn undeclared(bench: Bench) -> Held {
    if bench.opened().looks_up {
        return Err(Finding::NotAsked("the adapter declares look-up".to_owned()));
    }
    let found = look(&bench, &unique()).await?;
    ensure(matches!(found, Err(Fault::Unimplemented { .. })), || format!("it says {}", told(&found)))
}

async fn done(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    let answer = wish.done().await?;
    match look(&bench, &wish.key).await? {
        Ok(Lookup::Done(found)) => ensure(found == answer, || "the answer found is not the one that was given".to_owned()),
        other => broken(format!("what was done is told as {}", told(&other))),
    }
}

async fn never_asked(bench: Bench) -> Held {
    for _ in 0..3 {
        let found = look(&bench, &unique()).await?;
        ensure(found == Ok(Lookup::NotDone), || format!("a key that was never used is told as {}", told(&found)))?;
    }
    Ok(())
}

async fn after_cut(bench: Bench) -> Held {
    let proxy = bench.proxy()?;
    for _ in 0..3 {
        let wish = Wish::new(&bench).await?;
        proxy.tell(Disturbance::CutAnswer(0)).await;
        wish.ask().await?;
        proxy.tell(Disturbance::None).await;
        let effects = wish.effects().await?;
        let found = look(&bench, &wish.key).await?;
        ensure(effects == 0 || found != Ok(Lookup::NotDone), || "it had its effect, and look-up says NotDone".to_owned())?;
        ensure(effects > 0 || !matches!(found, Ok(Lookup::Done(_))), || "it had no effect, and look-up says Done".to_owned())?;
        let answer = wish.repeat().await?;
        if let Ok(Lookup::Done(found)) = found {
            ensure(found == answer, || "look-up gave another answer than repeating".to_owned())?;
        }
    }
    Ok(())
}

async fn same_as_repeating(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    wish.done().await?;
    let found = look(&bench, &wish.key).await?;
    let again = wish.done().await?;
    ensure(found == Ok(Lookup::Done(again)), || format!("look-up says {}, or another answer than repeating", told(&found)))
}

async fn has_no_effect(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    for _ in 0..3 {
        // What it says is for other laws.
        let _ = look(&bench, &wish.key).await?;
    }
    wish.has(0, "after look-ups alone").await?;
    wish.done().await?;
    for _ in 0..3 {
        let _ = look(&bench, &wish.key).await?;
    }
    wish.has(1, "after one call and look-ups").await
}

async fn system_down(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    wish.done().await?;
    bench.disturb(Disturbance::Refuse).await;
    let found = look(&bench, &wish.key).await?;
    let never = look(&bench, &unique()).await?;
    bench.disturb(Disturbance::None).await;
    ensure(found != Ok(Lookup::NotDone), || "what was done is told as NotDone".to_owned())?;
    ensure(!matches!(never, Ok(Lookup::Done(_))), || "what was never asked for is told as Done".to_owned())
}

async fn bad_key(bench: Bench) -> Held {
    for key in [String::new(), "k".repeat(257)] {
        let found = look(&bench, &key).await?;
        let is_refused = matches!(found, Ok(Lookup::NotDone) | Err(Fault::Rejected { .. }));
        ensure(is_refused, || format!("a key of {} bytes is told as {}", key.len(), told(&found)))?;
    }
    Ok(())
}
