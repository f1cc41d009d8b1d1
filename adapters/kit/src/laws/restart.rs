//! Restart: killed at any moment, started anew, and nothing is lost or done twice.

use std::time::Duration;

use passerelle_adapter::Lookup;

use super::call::after;
use super::effect::{Wish, is_true};
use crate::bench::Bench;
use crate::law::{Finding, Held, Law, Need, broken, ensure};

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "restart.works",
        title: "Started anew, it answers as before",
        why: "Machines are restarted.",
        mend: "Keep nothing that the next start trips over: sockets, locks, half-written files.",
        needs: &[Need::Renewal, Need::Call],
        check: |bench| Box::pin(works(bench)),
    },
    Law {
        id: "restart.often",
        title: "It can be killed and started five times in a row",
        why: "What a crash leaves behind must not add up.",
        mend: "Clean up what the life before has left when you start.",
        needs: &[Need::Renewal, Need::Call],
        check: |bench| Box::pin(often(bench)),
    },
    Law {
        id: "restart.keys",
        title: "A key is known after a restart as before",
        why: "The bus repeats what was in flight when the adapter went down: without this, the customer pays twice.",
        mend: "Keep keys on disk, or in the system behind; never in memory alone.",
        needs: &[Need::Renewal, Need::Effect],
        check: |bench| Box::pin(keys(bench)),
    },
    Law {
        id: "restart.lookup",
        title: "Look-up finds after a restart what was done before it",
        why: "A restart is the moment in which it is asked.",
        mend: "Keep answers on disk, or find them in the system behind.",
        needs: &[Need::Renewal, Need::Lookup, Need::Effect],
        check: |bench| Box::pin(lookup(bench)),
    },
    Law {
        id: "restart.in-flight",
        title: "Killed while effects are under way, each happens once when it is repeated",
        why: "Crashes do not wait for a quiet moment.",
        mend: "Let the effect and its key be one step in the system behind.",
        needs: &[Need::Process, Need::Effect],
        check: |bench| Box::pin(in_flight(bench)),
    },
];

async fn works(bench: Bench) -> Held {
    bench.works_on("before a restart").await?;
    bench.renew().await?;
    for example in &bench.file().calls {
        bench.right(example).await.map_err(|finding| after(finding, "started anew"))?;
    }
    Ok(())
}

async fn often(bench: Bench) -> Held {
    for _ in 0..5 {
        bench.renew().await?;
        bench.works_on("started anew several times").await?;
    }
    Ok(())
}

async fn keys(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    let first = wish.done().await?;
    bench.renew().await?;
    let again = wish.repeat().await?;
    ensure(again == first, || "after a restart, the same key is answered with something else".to_owned())?;
    wish.has(1, "after a call, a restart and the same call").await
}

async fn lookup(bench: Bench) -> Held {
    let wish = Wish::new(&bench).await?;
    let answer = wish.done().await?;
    bench.renew().await?;
    match bench.adapter().lookup(&wish.key).await {
        Ok(Lookup::Done(found)) => ensure(found == answer, || "after a restart, look-up finds another answer".to_owned()),
        other => broken(format!(
            "after a restart, what was done is told as {}",
            if other == Ok(Lookup::NotDone) { "NotDone" } else { "a fault, or Undecided" }
        )),
    }
}

async fn in_flight(bench: Bench) -> Held {
    for wait in [0, 1, 2, 5, 20] {
        let wish = std::sync::Arc::new(Wish::new(&bench).await?);
        let call = {
            let wish = std::sync::Arc::clone(&wish);
            tokio::spawn(async move { wish.ask().await })
        };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        bench.subject().kill().await;
        let ended = call.await.map_err(|error| Finding::Broken(format!("a call in flight: {error}")))??;
        bench.renew().await?;
        is_true(&wish, &ended, "it was killed").await?;
        wish.repeat().await?;
        wish.has(1, "after it was killed, started anew and asked again").await?;
    }
    Ok(())
}
