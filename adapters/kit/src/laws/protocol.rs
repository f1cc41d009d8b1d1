//! The stream of a call itself: how it begins and ends, and what is not a call.

use std::time::Duration;

use bytes::Bytes;
use passerelle_proto::adapter::v1::{Start, call_request, call_response};
use prost::Message;
use tonic::{Code, Status};

use crate::bench::Bench;
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::wire::{Raw, Unclassified, class};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "protocol.ends-once",
        title: "An answer has one end, after which the stream closes",
        why: "What comes after the end belongs to nobody; what has no end is broken off.",
        mend: "Send `end` or `fault` last, once, and close your side with the status OK.",
        needs: &[Need::Wire, Need::Call],
        check: |bench| Box::pin(ends_once(bench)),
    },
    Law {
        id: "protocol.fault-in-message",
        title: "Refusals are told in a fault, not by a gRPC status",
        why: "A status says that the adapter itself failed: the bus takes the effect for possible, and looks it up.",
        mend: "Send `fault` and close with OK; keep statuses for failures of the adapter itself.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(fault_in_message(bench)),
    },
    Law {
        id: "protocol.fault-class",
        title: "Every fault has a class",
        why: "Without one the bus must take the effect for possible.",
        mend: "Set one of `Fault.class`, also for what you did not expect (unknown).",
        needs: &[Need::Wire],
        check: |bench| Box::pin(fault_class(bench)),
    },
    Law {
        id: "protocol.no-start",
        title: "A call that does not begin with `start` is refused",
        why: "Without a method there is nothing that could be right.",
        mend: "End it with INVALID_ARGUMENT.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(no_start(bench)),
    },
    Law {
        id: "protocol.second-start",
        title: "A second `start` does not begin a second call",
        why: "Two effects under one deadline and one key.",
        mend: "End it with INVALID_ARGUMENT, or pass it over.",
        needs: &[Need::Wire, Need::Slow],
        check: |bench| Box::pin(second_start(bench)),
    },
    Law {
        id: "protocol.nothing-said",
        title: "A message that says nothing is borne or refused",
        why: "A newer bus may say what this version does not know.",
        mend: "Pass over a `CallRequest` without a known `what`, or end the call with INVALID_ARGUMENT.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(nothing_said(bench)),
    },
    Law {
        id: "protocol.closed-at-once",
        title: "A call that ends before it began is over",
        why: "A call that nobody ends is a leak.",
        mend: "When the bus closes its side without `start`, close yours.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(closed_at_once(bench)),
    },
    Law {
        id: "protocol.message-apart",
        title: "The first message may come in `start` or after it",
        why: "Both are the same call.",
        mend: "Take `Start.message` as the first of the messages, if it is set.",
        needs: &[Need::Wire, Need::Call],
        check: |bench| Box::pin(message_apart(bench)),
    },
    Law {
        id: "protocol.bad-timeout",
        title: "A malformed `grpc-timeout` harms nobody",
        why: "A header must not be able to take the adapter down.",
        mend: "Refuse the call, or take it as one without a deadline.",
        needs: &[Need::Wire, Need::Call],
        check: |bench| Box::pin(bad_timeout(bench)),
    },
    Law {
        id: "protocol.unknown-rpc",
        title: "A method of the port that is not known is UNIMPLEMENTED",
        why: "This is how a newer bus finds out what this adapter can.",
        mend: "Leave it to the gRPC server: it answers UNIMPLEMENTED by itself.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(unknown_rpc(bench)),
    },
    Law {
        id: "protocol.bad-frame",
        title: "A frame that is no CallRequest fails that call and no other",
        why: "One bad byte must not take the connection from all calls.",
        mend: "Leave it to the gRPC server; do not end the process on its errors.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(bad_frame(bench)),
    },
];

/// How a call went, as the wire says it.
struct Story {
    messages: usize,
    faults: Vec<passerelle_proto::adapter::v1::Fault>,
    ends: usize,
    after_end: usize,
    status: Result<(), Status>,
}

/// Reads until the stream closes.
async fn read(call: &mut Raw) -> Result<Story, Finding> {
    let mut story = Story { messages: 0, faults: Vec::new(), ends: 0, after_end: 0, status: Ok(()) };
    loop {
        let next = tokio::time::timeout(PATIENCE, call.next()).await;
        let next = next.map_err(|_| Finding::Broken(format!("the call hangs: nothing came in {} s", PATIENCE.as_secs())))?;
        match next {
            Ok(None) => return Ok(story),
            Err(status) => {
                story.status = Err(status);
                return Ok(story);
            }
            Ok(Some(response)) => {
                let is_over = story.ends > 0 || !story.faults.is_empty();
                story.after_end += usize::from(is_over);
                match response.what {
                    Some(call_response::What::Message(_)) => story.messages += 1,
                    Some(call_response::What::Fault(fault)) => story.faults.push(fault),
                    Some(call_response::What::End(_)) => story.ends += 1,
                    Some(call_response::What::Credit(_)) | None => {}
                }
            }
        }
    }
}

async fn raw(bench: &Bench) -> Result<Raw, Finding> {
    bench.wire()?.raw().await.map_err(|status| Finding::Broken(format!("no call can be begun: {}", status.message())))
}

async fn ends_once(bench: Bench) -> Held {
    let example = bench.good()?;
    let request = bench.request(&example.method, &example.request)?;
    let mut call = raw(&bench).await?;
    call.start(&example.method, Some(request), 8);
    call.finish();
    let story = read(&mut call).await?;
    if let Err(status) = &story.status {
        return broken(format!("a good call is closed with the status {:?}", status.code()));
    }
    ensure(story.ends + story.faults.len() == 1, || format!("it has {} ends and {} faults", story.ends, story.faults.len()))?;
    ensure(story.after_end == 0, || format!("{} messages came after the end", story.after_end))?;
    ensure(story.messages == 1, || format!("{} messages came", story.messages))
}

/// Calls that are refused for certain.
async fn refused(bench: &Bench) -> Result<Vec<Story>, Finding> {
    let mut requests = vec![("kit.nowhere.v1.Nothing/Nothing".to_owned(), Bytes::new())];
    requests.extend(bench.contracts().names().first().map(|name| (name.clone(), Bytes::from_static(super::garbage::TRUNCATED))));
    for refusal in &bench.file().refusals {
        requests.push((refusal.method.clone(), bench.request(&refusal.method, &refusal.request)?));
    }
    let mut stories = Vec::new();
    for (method, request) in requests {
        let mut call = raw(bench).await?;
        call.start(&method, Some(request), 8);
        call.finish();
        stories.push(read(&mut call).await?);
    }
    Ok(stories)
}

async fn fault_in_message(bench: Bench) -> Held {
    for story in refused(&bench).await? {
        if let Err(status) = &story.status {
            return broken(format!("a refusal is told by the status {:?}: {}", status.code(), status.message()));
        }
        ensure(story.faults.len() == 1, || format!("a refusal has {} faults and {} ends", story.faults.len(), story.ends))?;
        ensure(story.after_end == 0, || format!("{} messages came after the fault", story.after_end))?;
    }
    Ok(())
}

async fn fault_class(bench: Bench) -> Held {
    for story in refused(&bench).await? {
        for fault in &story.faults {
            let known = class(fault);
            ensure(!matches!(known, Err(Unclassified)), || format!("a fault has no class: {}", fault.message))?;
        }
    }
    Ok(())
}

async fn no_start(bench: Bench) -> Held {
    let mut call = raw(&bench).await?;
    call.say(Some(call_request::What::Message(Bytes::new())));
    call.finish();
    let story = read(&mut call).await?;
    ensure(story.messages == 0 && story.ends == 0, || "a call without `start` is answered".to_owned())?;
    bench.works_on("after a call without `start`").await
}

async fn second_start(bench: Bench) -> Held {
    let slow = bench.file().slow.clone();
    let slow = slow.ok_or_else(|| Finding::NotProven(Need::Slow.to_give().unwrap_or_default().to_owned()))?;
    let request = bench.request(&slow.method, &slow.request)?;
    let mut call = raw(&bench).await?;
    for _ in 0..2 {
        call.start(&slow.method, Some(request.clone()), 8);
    }
    call.finish();
    let story = tokio::time::timeout(Duration::from_millis(slow.takes_ms) + PATIENCE, read(&mut call)).await;
    let story = story.map_err(|_| Finding::Broken("a call with two `start` hangs".to_owned()))??;
    ensure(story.messages <= 1, || format!("a call with two `start` is answered {} times", story.messages))?;
    bench.works_on("after a second `start`").await
}

async fn nothing_said(bench: Bench) -> Held {
    let mut call = raw(&bench).await?;
    call.say(None);
    call.finish();
    let story = read(&mut call).await?;
    ensure(story.messages == 0 && story.ends == 0, || "a call that says nothing is answered".to_owned())?;
    bench.works_on("after a call that says nothing").await
}

async fn closed_at_once(bench: Bench) -> Held {
    let mut call = raw(&bench).await?;
    call.finish();
    let story = read(&mut call).await?;
    ensure(story.messages == 0, || "a call that never began is answered".to_owned())?;
    bench.works_on("after a call that never began").await
}

async fn message_apart(bench: Bench) -> Held {
    let example = bench.good()?;
    let request = bench.request(&example.method, &example.request)?;
    let mut call = raw(&bench).await?;
    call.start(&example.method, None, 8);
    call.say(Some(call_request::What::Message(request)));
    call.finish();
    let story = read(&mut call).await?;
    let seen = || match (&story.status, story.faults.first()) {
        (Err(status), _) => {
            format!("with the message after `start`, the call fails with {:?}: {}", status.code(), status.message())
        }
        (Ok(()), Some(fault)) => format!("with the message after `start`, the call is refused: {}", fault.message),
        (Ok(()), None) => format!("with the message after `start`, {} messages came", story.messages),
    };
    ensure(story.messages == 1 && story.ends == 1, seen)
}

async fn bad_timeout(bench: Bench) -> Held {
    let example = bench.good()?;
    let message = bench.request(&example.method, &example.request)?;
    for timeout in ["", "-1S", "99999999999999S", "1", "abc"] {
        let start = Start { method: example.method.clone(), message: Some(message.clone()), credits: 8, ..Start::default() };
        let what = passerelle_proto::adapter::v1::CallRequest { what: Some(call_request::What::Start(start)) };
        let mut request = tonic::Request::new(tokio_stream::once(what));
        if let Ok(value) = timeout.parse() {
            request.metadata_mut().insert("grpc-timeout", value);
        }
        let mut client = bench.wire()?.client().await.map_err(Finding::Broken)?;
        // Refused or answered: only that it comes to an end.
        let ended = tokio::time::timeout(PATIENCE, client.call(request)).await;
        ensure(ended.is_ok(), || format!("with `grpc-timeout: {timeout}` the call hangs"))?;
    }
    bench.works_on("after malformed timeouts").await
}

async fn send_frame(bench: &Bench, path: &'static str, frame: Bytes) -> Result<Status, Finding> {
    let client = bench.wire()?.connection().await.map_err(Finding::Broken)?;
    let mut grpc = tonic::client::Grpc::with_origin(client, http::Uri::from_static("http://adapter"));
    let ready = grpc.ready().await;
    ready.map_err(|error| Finding::Broken(format!("no call can be begun: {error}")))?;
    let path = http::uri::PathAndQuery::from_static(path);
    let asked = grpc.streaming(tonic::Request::new(tokio_stream::once(frame)), path, crate::wire::Plain);
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    match answer.map_err(|_| Finding::Broken("the call hangs".to_owned()))? {
        Err(status) => Ok(status),
        Ok(response) => {
            let mut messages = response.into_inner();
            loop {
                match tokio::time::timeout(PATIENCE, messages.message()).await {
                    Err(_) => return broken("the call hangs"),
                    Ok(Err(status)) => return Ok(status),
                    Ok(Ok(None)) => return Ok(Status::ok("")),
                    Ok(Ok(Some(_))) => {}
                }
            }
        }
    }
}

async fn unknown_rpc(bench: Bench) -> Held {
    let status = send_frame(&bench, "/passerelle.adapter.v1.Adapter/KitAsks", Bytes::new()).await?;
    ensure(status.code() == Code::Unimplemented, || format!("it is answered with {:?}", status.code()))?;
    bench.works_on("after a method of the port that is not known").await
}

async fn bad_frame(bench: Bench) -> Held {
    let frames = [
        Bytes::from_static(super::garbage::TRUNCATED),
        Bytes::from(Start::default().encode_to_vec().repeat(3)),
        Bytes::from_static(&[0xff; 64]),
    ];
    for frame in frames {
        send_frame(&bench, "/passerelle.adapter.v1.Adapter/Call", frame).await?;
        bench.works_on("after a frame that is no CallRequest").await?;
    }
    Ok(())
}
