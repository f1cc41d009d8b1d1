//! Settings: taken, refused with a reason, taken once.

use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_adapter::{Context, Fault};
use serde_json::{Map, Value, json};
use tonic::Code;

use crate::bench::{Bench, named};
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::proxy::Disturbance;
use crate::subject::Refused;

/// A setting that no adapter has.
const UNKNOWN: &str = "kit_unknown_setting";

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "configure.accepted",
        title: "The adapter starts, and takes the settings of the subject file",
        why: "Nothing else can be checked before.",
        mend: "Read what it answered and wrote; correct the settings, the command, or the adapter.",
        needs: &[],
        // A run begins with it: where it does not hold, no other law is reached.
        check: |_| Box::pin(async { Ok(()) }),
    },
    Law {
        id: "configure.system-down",
        title: "Settings are taken while the system behind is away",
        why: "A bus that starts while one back office is down must serve the others, and this one when it is back.",
        mend: "Do not connect while settings are taken: connect with the first call.",
        needs: &[Need::Renewal, Need::Behind],
        check: |bench| Box::pin(system_down(bench)),
    },
    Law {
        id: "configure.again",
        title: "The same settings again change nothing and give the same answer",
        why: "The bus repeats them after a connection was lost.",
        mend: "Compare with what holds, and answer the same.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(again(bench)),
    },
    Law {
        id: "configure.other-settings",
        title: "Other settings are refused while some hold",
        why: "A second bus would take the adapter away from the first one, in the middle of its calls.",
        mend: "Answer FAILED_PRECONDITION to settings that differ from those that hold.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(other_settings(bench)),
    },
    Law {
        id: "configure.unknown-setting",
        title: "A setting that is not known is refused by its name",
        why: "A misspelt setting that is passed over is found weeks later.",
        mend: "Refuse unknown keys (INVALID_ARGUMENT over the wire), and say which.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(unknown_setting(bench)),
    },
    Law {
        id: "configure.wrong-type",
        title: "A setting of the wrong type is refused by its name",
        why: "A port that is text, or a list that is a number, becomes a failure far from its cause.",
        mend: "Check types while settings are read; name the setting in the refusal.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(wrong_type(bench)),
    },
    Law {
        id: "configure.no-object",
        title: "Settings that are no object are refused",
        why: "Null, a list and a word are mistakes; defaults in their place hide them.",
        mend: "Refuse everything but an object.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(no_object(bench)),
    },
    Law {
        id: "configure.garbage",
        title: "Text that is no JSON is refused",
        why: "A crash here is a restart in a loop.",
        mend: "Refuse what cannot be parsed, with the place.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(garbage(bench)),
    },
    Law {
        id: "configure.after-refusal",
        title: "After settings were refused, good ones are taken",
        why: "People correct their settings, and must not have to restart the adapter for it.",
        mend: "Let settings hold only once they are checked whole.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(after_refusal(bench)),
    },
    Law {
        id: "configure.call-before",
        title: "A call before the settings is refused, and harms nobody",
        why: "After a restart of the adapter, calls may come before the bus has configured it anew.",
        mend: "Answer Fault.unavailable, or a gRPC status, until settings hold.",
        needs: &[Need::Wire, Need::Process],
        check: |bench| Box::pin(call_before(bench)),
    },
];

async fn system_down(bench: Bench) -> Held {
    bench.start_anew().await?;
    bench.disturb(Disturbance::Refuse).await;
    let begin = Instant::now();
    let taken = bench.configure(bench.settings()).await;
    bench.disturb(Disturbance::None).await;
    let took = begin.elapsed();
    taken.map_err(|refused| Finding::Broken(format!("with the system behind away, the settings are refused: {refused}")))?;
    ensure(took < Duration::from_secs(5), || format!("with the system behind away, it took {} ms", took.as_millis()))?;
    bench.works_on("after settings were taken with the system behind away").await
}

async fn again(bench: Bench) -> Held {
    let first = bench.opened().configured.clone();
    for _ in 0..2 {
        let configured = bench.configure(bench.settings()).await;
        configured.map_err(|refused| Finding::Broken(format!("the same settings again are refused: {refused}")))?;
        ensure(bench.opened().configured == first, || "the same settings again are answered with something else".to_owned())?;
    }
    bench.works_on("after the same settings came again").await
}

async fn other_settings(bench: Bench) -> Held {
    let mut settings = settings(&bench)?;
    settings.insert(UNKNOWN.to_owned(), Value::from(1));
    match bench.configure(&Value::Object(settings).to_string()).await {
        Ok(()) => return broken("other settings are taken while some hold"),
        Err(Refused { code: Some(Code::FailedPrecondition | Code::InvalidArgument), .. }) => {}
        Err(refused) => return broken(format!("other settings are refused with {refused}, not with FAILED_PRECONDITION")),
    }
    bench.works_on("after other settings were refused").await
}

fn settings(bench: &Bench) -> Result<Map<String, Value>, Finding> {
    match serde_json::from_str(bench.settings()) {
        Ok(Value::Object(settings)) => Ok(settings),
        _ => Err(Finding::NotProven("the settings are no object".to_owned())),
    }
}

/// That an adapter without settings refuses these, for what they are.
async fn refused(bench: &Bench, settings: &str, what: &str) -> Result<String, Finding> {
    bench.start_anew().await?;
    match bench.configure(settings).await {
        Ok(()) => broken(format!("{what} is taken")),
        Err(Refused { code: None | Some(Code::InvalidArgument), message }) => Ok(message),
        Err(refused) => broken(format!("{what} is refused with {refused}, not with INVALID_ARGUMENT")),
    }
}

async fn unknown_setting(bench: Bench) -> Held {
    let mut settings = settings(&bench)?;
    settings.insert(UNKNOWN.to_owned(), Value::from(1));
    let message = refused(&bench, &Value::Object(settings).to_string(), "an unknown setting").await?;
    ensure(message.contains(UNKNOWN), || format!("the refusal does not name it: {message}"))
}

async fn wrong_type(bench: Bench) -> Held {
    for (key, value) in settings(&bench)? {
        let mut wrong = settings(&bench)?;
        // A list where there is none, a number where there is a list or an object.
        let other = if value.is_array() || value.is_object() { Value::from(7) } else { json!([{ "kit": 7 }]) };
        wrong.insert(key.clone(), other);
        let message = refused(&bench, &Value::Object(wrong).to_string(), &format!("the setting `{key}` of a wrong type")).await?;
        ensure(message.contains(&key), || format!("the refusal of `{key}` does not name it: {message}"))?;
    }
    Ok(())
}

async fn no_object(bench: Bench) -> Held {
    for settings in ["[]", "null", "\"text\"", "17"] {
        refused(&bench, settings, &format!("`{settings}` as settings")).await?;
    }
    Ok(())
}

async fn garbage(bench: Bench) -> Held {
    for settings in ["{", "{\"a\": ", "\u{0}\u{1}\u{2}", "{]}"] {
        refused(&bench, settings, "text that is no JSON").await?;
    }
    Ok(())
}

async fn after_refusal(bench: Bench) -> Held {
    refused(&bench, "{", "text that is no JSON").await?;
    let taken = bench.configure(bench.settings()).await;
    taken.map_err(|refused| Finding::Broken(format!("good settings after bad ones are refused: {refused}")))?;
    bench.works_on("after settings were refused once").await
}

async fn call_before(bench: Bench) -> Held {
    let (method, request) = match bench.good() {
        Ok(example) => (example.method.clone(), bench.request(&example.method, &example.request)?),
        Err(_) => ("kit.nowhere.v1.Nothing/Nothing".to_owned(), Bytes::new()),
    };
    bench.start_anew().await?;
    // The adapter of before: it speaks to the process that has no settings yet.
    let ended = bench.ask_bytes(&method, request, Context::default()).await?;
    match &ended.fault {
        None => return broken("a call before the settings is answered"),
        Some(fault @ Fault::Rejected { .. }) => return broken(format!("a call before the settings is told as {}", named(fault))),
        Some(_) => {}
    }
    let taken = bench.configure(bench.settings()).await;
    taken.map_err(|refused| Finding::Broken(format!("after a call came too early, the settings are refused: {refused}")))?;
    bench.works_on("after a call came too early").await
}
