//! A run of the kit: every law in turn, and what came of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::bench::Bench;
use crate::law::{Finding, Held, Law, Need};
use crate::report::{Outcome, Report, Row};
use crate::subject::Subject;

/// A law that takes longer is broken: it waits for what never comes.
const LONGEST: Duration = Duration::from_secs(120);

/// Holds the subject against the laws that `only` names (groups, or beginnings of ids; none: all), and tells each as it is known.
pub(crate) async fn run(subject: Arc<dyn Subject>, laws: &[Law], only: &[String], mut told: impl FnMut(&Row)) -> Report {
    let chosen = |law: &&Law| only.is_empty() || only.iter().any(|name| law.group() == name || law.id.starts_with(name.as_str()));
    let begin = Instant::now();
    let opened = Bench::open(Arc::clone(&subject)).await;
    let mut rows = Vec::new();
    for law in laws.iter().filter(chosen) {
        let begin = Instant::now();
        let held = match &opened {
            Ok(bench) => check(law, bench).await,
            Err(finding) if law.id == "configure.accepted" => Err(finding.clone()),
            Err(_) => Err(Finding::NotProven("the adapter does not take its settings: see `configure.accepted`".to_owned())),
        };
        let row = Row { law: *law, outcome: Outcome::of(held), took: begin.elapsed() };
        told(&row);
        rows.push(row);
    }
    subject.kill().await;
    Report { rows, took: begin.elapsed() }
}

async fn check(law: &Law, bench: &Bench) -> Held {
    for need in law.needs {
        if !is_given(*need, bench) {
            // No process of its own: it can be neither killed alone nor lied to about time.
            let is_alone = !matches!(need, Need::Process | Need::Clock) || bench.wire().is_ok();
            return Err(match need.to_give() {
                Some(what) if is_alone => Finding::NotProven(what.to_owned()),
                _ => Finding::NotAsked(need.not_asked().to_owned()),
            });
        }
    }
    let restored = bench.restore().await;
    restored.map_err(|finding| match finding {
        Finding::Broken(seen) => Finding::Broken(format!("before this law: {seen}")),
        other => other,
    })?;
    // A law that panics is a mistake of the kit; the others are still worth checking.
    let checking = AssertUnwindSafe(tokio::time::timeout(LONGEST, (law.check)(bench.clone()))).catch_unwind();
    match checking.await {
        Ok(Ok(held)) => held,
        Ok(Err(_)) => Err(Finding::Broken(format!("it is not over after {} s", LONGEST.as_secs()))),
        Err(_) => Err(Finding::NotProven("the kit itself failed here: please report it".to_owned())),
    }
}

fn is_given(need: Need, bench: &Bench) -> bool {
    let file = bench.file();
    match need {
        Need::Call => !file.calls.is_empty(),
        Need::TwoCalls => file.calls.iter().any(|example| example.answer != file.calls[0].answer),
        Need::Refusal => !file.refusals.is_empty(),
        Need::Effect => file.effect.is_some(),
        Need::Stream => file.stream.is_some(),
        Need::Slow => file.slow.is_some(),
        Need::Receive => file.receive.is_some() || !receives(bench),
        Need::Behind => file.behind.is_some(),
        Need::Markers => !file.markers.is_empty(),
        Need::Lookup => bench.opened().looks_up,
        Need::Renewal | Need::Process | Need::Output | Need::Clock | Need::Wire | Need::InProcess => bench.subject().gives(need),
    }
}

fn receives(bench: &Bench) -> bool {
    bench.opened().configured.as_ref().and_then(|configured| configured.abilities).is_some_and(|abilities| abilities.receive)
}
