//! Secrets and personal values: never where people or logs see them. Checked last: all that was said until then counts.

use bytes::{BufMut, BytesMut};
use passerelle_adapter::{Context, Health};
use prost::encoding::{WireType, encode_key, encode_varint};

use crate::bench::Bench;
use crate::contract::unique;
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::proxy::Disturbance;

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "secret.faults",
        title: "No fault, reason or refusal that was heard holds a marker",
        why: "They are shown to channels, written to logs and read by people who must not know them.",
        mend: "Tell places and rules, never values: which field, which limit, which host.",
        needs: &[Need::Markers],
        check: |bench| Box::pin(faults(bench)),
    },
    Law {
        id: "secret.description",
        title: "What the adapter tells of itself holds no marker",
        why: "Contracts and what stands behind are shown to everybody.",
        mend: "Take credentials out before anything is told.",
        needs: &[Need::Markers],
        check: |bench| Box::pin(description(bench)),
    },
    Law {
        id: "secret.health",
        title: "Health holds no marker, also while the system behind is away",
        why: "Failures of connecting quote addresses, and addresses quote passwords.",
        mend: "Write reasons yourself; do not pass on the text of a library's error.",
        needs: &[Need::Markers],
        check: |bench| Box::pin(health(bench)),
    },
    Law {
        id: "secret.output",
        title: "What the adapter has written holds no marker",
        why: "Logs are copied to places where nobody guards them.",
        mend: "Log names, lengths and classes; no requests, no answers, no settings.",
        needs: &[Need::Markers, Need::Output],
        check: |bench| Box::pin(output(bench)),
    },
    Law {
        id: "secret.request-not-repeated",
        title: "A refusal does not repeat the text of the request",
        why: "What a customer typed is his; in a fault's words it travels to logs and to other people.",
        mend: "Name the field, not its value.",
        needs: &[Need::Call],
        check: |bench| Box::pin(request_not_repeated(bench)),
    },
    Law {
        id: "secret.request-not-written",
        title: "The text of a request is not written to the log",
        why: "Every request would leave a copy where nobody deletes it.",
        mend: "Log the method, the outcome and the time.",
        needs: &[Need::Call, Need::Output],
        check: |bench| Box::pin(request_not_written(bench)),
    },
    Law {
        id: "secret.key-not-repeated",
        title: "Look-up and calls do not repeat idempotency keys in faults",
        why: "Keys are made of order numbers, telephone numbers, names.",
        mend: "Tell what became of it; who asks knows the key.",
        needs: &[],
        check: |bench| Box::pin(key_not_repeated(bench)),
    },
];

/// Which marker is in there, by its number: the marker itself is not for reports.
fn find(bench: &Bench, text: &str) -> Option<usize> {
    bench.file().markers.iter().position(|marker| text.contains(marker.as_str())).map(|index| index + 1)
}

fn is_free(bench: &Bench, text: &str, what: &str) -> Held {
    match find(bench, text) {
        Some(number) => broken(format!("{what} holds marker {number} of the subject file")),
        None => Ok(()),
    }
}

async fn faults(bench: Bench) -> Held {
    // Some that may hold them: what is refused, and what breaks.
    for refusal in &bench.file().refusals {
        bench.ask(&refusal.method, &refusal.request, Context::default()).await?;
    }
    for disturbance in [Disturbance::Refuse, Disturbance::Garbage, Disturbance::CutAnswer(4)] {
        bench.disturb(disturbance).await;
        for example in &bench.file().calls {
            bench.ask(&example.method, &example.request, Context::default()).await?;
        }
    }
    bench.disturb(Disturbance::None).await;
    bench.heard().iter().try_for_each(|words| is_free(&bench, words, "a fault, a reason or a refusal"))
}

async fn description(bench: Bench) -> Held {
    let opened = bench.opened();
    let descriptor = opened.adapter.descriptor();
    is_free(&bench, &format!("{descriptor:?}"), "what it tells of itself")
}

async fn health(bench: Bench) -> Held {
    for disturbance in [Disturbance::None, Disturbance::Refuse] {
        bench.disturb(disturbance).await;
        if let Health::Degraded { reason } | Health::Down { reason } = bench.health(std::time::Duration::from_secs(5)).await? {
            is_free(&bench, &reason, "health's reason")?;
        }
    }
    Ok(())
}

fn written(bench: &Bench) -> Result<String, Finding> {
    bench.subject().output().ok_or_else(|| Finding::NotProven(Need::Output.to_give().unwrap_or_default().to_owned()))
}

async fn output(bench: Bench) -> Held {
    for example in &bench.file().calls {
        bench.right(example).await?;
    }
    // What it writes comes by a pipe.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    is_free(&bench, &written(&bench)?, "what it has written")
}

/// Asks with a word that nothing else holds, in the first field of text; then with one that is too long as well.
async fn ask_with(bench: &Bench, word: &str) -> Held {
    let example = bench.good()?;
    let Some(field) = bench.contracts().string_field(&example.method) else {
        return Err(Finding::NotAsked(format!("{} has no field of text", example.method)));
    };
    for text in [word.to_owned(), format!("{word}\n"), word.repeat(50)] {
        let mut request = BytesMut::from(bench.request(&example.method, &example.request)?.as_ref());
        encode_key(field.number(), WireType::LengthDelimited, &mut request);
        encode_varint(text.len() as u64, &mut request);
        request.put_slice(text.as_bytes());
        bench.ask_bytes(&example.method, request.freeze(), Context::default()).await?;
    }
    Ok(())
}

async fn request_not_repeated(bench: Bench) -> Held {
    let word = unique();
    ask_with(&bench, &word).await?;
    let is_repeated = bench.heard().iter().any(|words| words.contains(&word));
    ensure(!is_repeated, || "a fault repeats the text of a request's field".to_owned())
}

async fn request_not_written(bench: Bench) -> Held {
    let word = unique();
    ask_with(&bench, &word).await?;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    ensure(!written(&bench)?.contains(&word), || "the text of a request's field is in what it has written".to_owned())
}

async fn key_not_repeated(bench: Bench) -> Held {
    let key = unique();
    if let Err(fault) = bench.adapter().lookup(&key).await {
        ensure(!fault.to_string().contains(&key), || "look-up repeats the key".to_owned())?;
    }
    let context = Context { idempotency_key: Some(key.clone()), ..Context::default() };
    bench.ask_bytes("kit.nowhere.v1.Nothing/Nothing", bytes::Bytes::new(), context).await?;
    ensure(!bench.heard().iter().any(|words| words.contains(&key)), || "a fault repeats the idempotency key".to_owned())
}
