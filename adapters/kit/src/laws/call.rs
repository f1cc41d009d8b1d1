//! Unary calls: one answer, the right one; what is wrong is refused in its class.

use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_adapter::{Context, Fault, Messages, Rejection, TraceContext};

use crate::bench::{Bench, Ended, named};
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::subject::Class;

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "call.unary.one-answer",
        title: "A unary call is answered with exactly one message",
        why: "The bus gives the first message to the channel; a second one is lost, and none at all looks like a failure.",
        mend: "Send one message, then the end.",
        needs: &[Need::Call],
        check: |bench| Box::pin(one_answer(bench)),
    },
    Law {
        id: "call.unary.right",
        title: "Each example is answered as the subject file says",
        why: "An adapter that answers with something else is wrong, or the example is; nothing else can be believed before that is known.",
        mend: "Compare the answer with the system behind; correct the adapter, or the example.",
        needs: &[Need::Call],
        check: |bench| Box::pin(right(bench)),
    },
    Law {
        id: "call.unary.again",
        title: "The hundredth call is answered like the first",
        why: "Connections, sessions and numbers run out in adapters that do not give them back.",
        mend: "Give back what a call takes when it ends, in every way in which it can end.",
        needs: &[Need::Call],
        check: |bench| Box::pin(again(bench)),
    },
    Law {
        id: "call.unary.no-message",
        title: "A unary call without a message is rejected as invalid",
        why: "An adapter that waits for the message hangs; one that makes up an empty one has an effect that nobody asked for.",
        mend: "When the request ends before a message came, answer Rejected (INVALID).",
        needs: &[Need::Call],
        check: |bench| Box::pin(no_message(bench)),
    },
    Law {
        id: "call.unary.two-messages",
        title: "A unary call with two messages is rejected as invalid",
        why: "An adapter that takes the first and drops the second loses what a channel sent.",
        mend: "When a second message comes for a unary method, answer Rejected (INVALID), before any effect.",
        needs: &[Need::Call, Need::InProcess],
        check: |bench| Box::pin(two_messages(bench)),
    },
    Law {
        id: "call.unknown-method",
        title: "A method that is not served is refused as unimplemented",
        why: "Another class would let the bus try again for ever, or alarm people about a system that is well.",
        mend: "Answer Fault.unimplemented to every method name that is not in the contract.",
        needs: &[],
        check: |bench| Box::pin(unknown_method(bench)),
    },
    Law {
        id: "call.unknown-service",
        title: "A service that is not served is refused as unimplemented",
        why: "An adapter that looks at the method's name alone answers for contracts of others.",
        mend: "Compare the full name, package and service included.",
        needs: &[],
        check: |bench| Box::pin(unknown_service(bench)),
    },
    Law {
        id: "call.names-exact",
        title: "Names of methods are compared letter by letter",
        why: "What answers to many names cannot be counted, allowed or forbidden by name.",
        mend: "Compare names as bytes: no trimming, no folding of case.",
        needs: &[],
        check: |bench| Box::pin(names_exact(bench)),
    },
    Law {
        id: "call.refusals.class",
        title: "Each refusal has the class that the subject file says",
        why: "The class decides what the bus does next: a business no that looks like an outage is tried again and opens the breaker.",
        mend: "Map the system's refusals to the classes of faults; what it understood and denied is Rejected.",
        needs: &[Need::Refusal],
        check: |bench| Box::pin(refusals_class(bench)),
    },
    Law {
        id: "call.refusals.steady",
        title: "The same wrong request is refused in the same class each time",
        why: "A refusal that changes its class is taken for a passing trouble.",
        mend: "Decide the class by the system's answer alone, not by what was seen before.",
        needs: &[Need::Refusal],
        check: |bench| Box::pin(refusals_steady(bench)),
    },
    Law {
        id: "call.refusals.harmless",
        title: "A refusal does not harm the calls after it",
        why: "One caller's mistake must not be another one's failure.",
        mend: "Leave the connection to the system behind as it was found: read its refusal to the end, or close it.",
        needs: &[Need::Refusal, Need::Call],
        check: |bench| Box::pin(refusals_harmless(bench)),
    },
    Law {
        id: "call.context.trace",
        title: "Trace context is taken along or left alone, even when it is malformed",
        why: "A caller's bad header must not fail his call.",
        mend: "Read `traceparent` forgivingly: what is malformed is as if it were not there.",
        needs: &[Need::Call],
        check: |bench| Box::pin(trace(bench)),
    },
    Law {
        id: "call.context.key-on-read",
        title: "An idempotency key on a read changes nothing of its answer",
        why: "The bus sends keys with whatever has one; methods without effects must bear it.",
        mend: "Ignore the key where there is no effect, or answer the same.",
        needs: &[Need::Call],
        check: |bench| Box::pin(key_on_read(bench)),
    },
];

async fn one_answer(bench: Bench) -> Held {
    for example in &bench.file().calls {
        let ended = bench.ask(&example.method, &example.request, Context::default()).await?;
        if let Some(fault) = &ended.fault {
            return broken(format!("a good call of {} is answered with {}", example.method, named(fault)));
        }
        ensure(ended.messages.len() == 1, || format!("{} was answered with {} messages", example.method, ended.messages.len()))?;
    }
    Ok(())
}

async fn right(bench: Bench) -> Held {
    for example in &bench.file().calls {
        bench.right(example).await?;
    }
    Ok(())
}

async fn again(bench: Bench) -> Held {
    let example = bench.good()?;
    // A system that takes seconds is not asked a hundred times.
    let begin = Instant::now();
    for _ in 0..100 {
        bench.right(&example).await?;
        if begin.elapsed() > Duration::from_secs(15) {
            break;
        }
    }
    Ok(())
}

async fn no_message(bench: Bench) -> Held {
    let method = bench.good()?.method;
    let ended = bench.send(&method, Messages::many(futures_util::stream::empty()), Context::default()).await?;
    is_invalid(&ended, "a call without a message")
}

async fn two_messages(bench: Bench) -> Held {
    let example = bench.good()?;
    let request = bench.request(&example.method, &example.request)?;
    let two = futures_util::stream::iter([Ok(request.clone()), Ok(request)]);
    let ended = bench.send(&example.method, Messages::many(two), Context::default()).await?;
    is_invalid(&ended, "a call with two messages")
}

async fn unknown_method(bench: Bench) -> Held {
    let known = bench.contracts().names();
    let service = known.first().and_then(|name| name.split_once('/')).map_or("kit.Nothing", |(service, _)| service);
    is_unimplemented(&bench, &format!("{service}/KitAsksForWhatIsNotThere")).await
}

async fn unknown_service(bench: Bench) -> Held {
    let known = bench.contracts().names();
    let method = known.first().and_then(|name| name.split_once('/')).map_or("Nothing", |(_, method)| method);
    is_unimplemented(&bench, &format!("kit.nowhere.v1.Nothing/{method}")).await
}

async fn names_exact(bench: Bench) -> Held {
    for name in bench.contracts().names().into_iter().filter(|name| bench.contracts().is_unary(name)).take(2) {
        let variants = [format!("/{name}"), name.to_lowercase(), format!("{name} "), name.replace('/', ".")];
        for variant in variants.into_iter().filter(|variant| *variant != name) {
            is_unimplemented(&bench, &variant).await?;
        }
    }
    is_unimplemented(&bench, "").await
}

async fn is_unimplemented(bench: &Bench, method: &str) -> Held {
    let ended = bench.ask_bytes(method, Bytes::new(), Context::default()).await?;
    match &ended.fault {
        Some(Fault::Unimplemented { .. }) => Ok(()),
        Some(fault) => broken(format!("`{method}` is answered with {}, not with Unimplemented", named(fault))),
        None => broken(format!("`{method}`, which is not in the contract, is answered")),
    }
}

/// Whether it was rejected as invalid.
pub(super) fn is_invalid(ended: &Ended, what: &str) -> Held {
    match &ended.fault {
        Some(Fault::Rejected { reason: Rejection::Invalid, .. }) => Ok(()),
        Some(fault) => broken(format!("{what} is answered with {}, not with Rejected (INVALID)", named(fault))),
        None => broken(format!("{what} is answered as if it were right")),
    }
}

async fn refusals_class(bench: Bench) -> Held {
    for refusal in &bench.file().refusals {
        let ended = bench.ask(&refusal.method, &refusal.request, Context::default()).await?;
        is_of_class(&ended, refusal.fault, &refusal.method)?;
    }
    Ok(())
}

async fn refusals_steady(bench: Bench) -> Held {
    for refusal in &bench.file().refusals {
        for _ in 0..5 {
            let ended = bench.ask(&refusal.method, &refusal.request, Context::default()).await?;
            is_of_class(&ended, refusal.fault, &format!("again, {}", refusal.method))?;
        }
    }
    Ok(())
}

async fn refusals_harmless(bench: Bench) -> Held {
    let example = bench.good()?;
    for refusal in &bench.file().refusals {
        for _ in 0..3 {
            bench.ask(&refusal.method, &refusal.request, Context::default()).await?;
            bench.right(&example).await.map_err(|finding| after(finding, "after a refusal"))?;
        }
    }
    Ok(())
}

/// Says when something was seen.
pub(super) fn after(finding: Finding, when: &str) -> Finding {
    match finding {
        Finding::Broken(seen) => Finding::Broken(format!("{when}: {seen}")),
        other => other,
    }
}

fn is_of_class(ended: &Ended, class: Class, method: &str) -> Held {
    match &ended.fault {
        Some(fault) if class_of(fault) == class => Ok(()),
        Some(fault) => broken(format!("{method} is refused with {}, not as {class:?}", named(fault))),
        None => broken(format!("{method} is answered, not refused as {class:?}")),
    }
}

fn class_of(fault: &Fault) -> Class {
    match fault {
        Fault::Rejected { reason: Rejection::Invalid, .. } => Class::Invalid,
        Fault::Rejected { reason: Rejection::Conflict, .. } => Class::Conflict,
        Fault::Rejected { reason: Rejection::NotFound, .. } => Class::NotFound,
        Fault::Rejected { reason: Rejection::Denied, .. } => Class::Denied,
        Fault::Rejected { reason: Rejection::Precondition, .. } => Class::Precondition,
        Fault::Throttled { .. } => Class::Throttled,
        Fault::Unavailable { .. } => Class::Unavailable,
        Fault::Unauthenticated { .. } => Class::Unauthenticated,
        Fault::DeadlineExceeded { .. } => Class::DeadlineExceeded,
        Fault::Unknown { .. } => Class::Unknown,
        Fault::Unimplemented { .. } => Class::Unimplemented,
    }
}

async fn trace(bench: Bench) -> Held {
    let example = bench.good()?;
    let well = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (parent, state) in [(well, "a=b"), ("malformed", "=,=,="), ("00-0-0-00", "")] {
        let trace = TraceContext { traceparent: Some(parent.to_owned()), tracestate: Some(state.to_owned()) };
        let ended = bench.ask(&example.method, &example.request, Context { trace, ..Context::default() }).await?;
        bench.is_right(&example, &ended).map_err(|finding| after(finding, &format!("with traceparent `{parent}`")))?;
    }
    Ok(())
}

async fn key_on_read(bench: Bench) -> Held {
    let example = bench.good()?;
    let context = Context { idempotency_key: Some(crate::contract::unique()), ..Context::default() };
    for _ in 0..2 {
        let ended = bench.ask(&example.method, &example.request, context.clone()).await?;
        bench.is_right(&example, &ended).map_err(|finding| after(finding, "under an idempotency key"))?;
    }
    Ok(())
}
