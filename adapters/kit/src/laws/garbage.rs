//! Garbage in requests: refused, never a crash, never an effect that nobody asked for.

use bytes::{BufMut, Bytes, BytesMut};
use passerelle_adapter::{Context, Fault, Rejection};
use prost::encoding::{WireType, encode_key, encode_varint};

use super::call::is_invalid;
use crate::bench::{Bench, Ended, named};
use crate::law::{Held, Law, Need, broken, ensure};

/// No message: a field that says that more bytes follow than do.
pub(super) const TRUNCATED: &[u8] = &[0x0a, 0x7f, 0x00];

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "garbage.truncated",
        title: "A message that was cut off is rejected as invalid, by every method",
        why: "What could not be read must not be guessed at.",
        mend: "Answer Rejected (INVALID) when a request cannot be decoded.",
        needs: &[],
        check: |bench| Box::pin(truncated(bench)),
    },
    Law {
        id: "garbage.random",
        title: "Random bytes are answered or rejected, and harm nobody",
        why: "One bad client must not take the adapter from all others.",
        mend: "Catch what decoding throws, and answer Rejected (INVALID).",
        needs: &[],
        check: |bench| Box::pin(random(bench)),
    },
    Law {
        id: "garbage.length-lies",
        title: "A field that claims gigabytes is rejected, without taking them",
        why: "A few bytes must not be able to fill the memory.",
        mend: "Hold lengths against what is there before memory is taken; protobuf libraries do.",
        needs: &[],
        check: |bench| Box::pin(length_lies(bench)),
    },
    Law {
        id: "garbage.unknown-field",
        title: "A field that the adapter does not know changes nothing of the answer",
        why: "Contracts grow: channels that are newer than the adapter must still be served.",
        mend: "Pass over unknown fields, as protobuf does.",
        needs: &[Need::Call],
        check: |bench| Box::pin(unknown_field(bench)),
    },
    Law {
        id: "garbage.empty",
        title: "An empty message is answered or refused, never a failure",
        why: "In protobuf, a message of defaults has no bytes.",
        mend: "Check the fields that are needed; answer Rejected (INVALID) where they are missing.",
        needs: &[Need::Call],
        check: |bench| Box::pin(empty(bench)),
    },
    Law {
        id: "garbage.wrong-type",
        title: "A field of another wire type is refused or passed over, never a failure",
        why: "Two versions of a contract that do not fit meet one day.",
        mend: "Catch what decoding throws, and answer Rejected (INVALID).",
        needs: &[Need::Call],
        check: |bench| Box::pin(wrong_type(bench)),
    },
    Law {
        id: "garbage.not-utf8",
        title: "Text that is not UTF-8 is rejected as invalid",
        why: "It would reach the system behind, or break the answer of somebody else.",
        mend: "Let the protobuf library check strings; answer Rejected (INVALID).",
        needs: &[Need::Call],
        check: |bench| Box::pin(not_utf8(bench)),
    },
    Law {
        id: "garbage.long-text",
        title: "A text of 100,000 letters is answered or refused, never a failure",
        why: "Somebody pastes a document into a name one day.",
        mend: "Check lengths before the system behind is asked; answer Rejected (INVALID).",
        needs: &[Need::Call],
        check: |bench| Box::pin(long_text(bench)),
    },
    Law {
        id: "garbage.control-characters",
        title: "Control characters in a text do not reach into the system's protocol",
        why: "A line break in a name must not be a second command.",
        mend: "Quote, encode or refuse what has a meaning in the system's protocol.",
        needs: &[Need::Call],
        check: |bench| Box::pin(control_characters(bench)),
    },
];

async fn truncated(bench: Bench) -> Held {
    for method in bench.contracts().names() {
        let ended = bench.ask_bytes(&method, TRUNCATED, Context::default()).await?;
        is_invalid(&ended, &format!("half a message to {method}"))?;
    }
    bench.works_on("after half messages").await
}

/// Whether it was answered, or refused as the caller's fault.
fn is_borne(ended: &Ended, what: &str) -> Held {
    match &ended.fault {
        None | Some(Fault::Rejected { .. } | Fault::Unimplemented { .. }) => Ok(()),
        Some(fault) => broken(format!("{what} is told as {}", named(fault))),
    }
}

async fn random(bench: Bench) -> Held {
    // Only reads: random bytes may be a message by chance.
    let effect = bench.file().effect.as_ref().map(|effect| effect.method.clone());
    let methods =
        bench.contracts().names().into_iter().filter(|name| bench.contracts().is_unary(name) && Some(name) != effect.as_ref());
    for method in methods.take(8) {
        for length in [1, 2, 3, 5, 8, 13, 40, 150, 1_000] {
            // A last byte that promises more: never a whole message.
            let mut bytes: Vec<u8> = (0..length).map(|_| fastrand::u8(..)).collect();
            bytes.push(0xff);
            is_borne(&bench.ask_bytes(&method, bytes, Context::default()).await?, "random bytes")?;
        }
    }
    bench.works_on("after random bytes").await
}

async fn length_lies(bench: Bench) -> Held {
    for method in bench.contracts().names() {
        for length in [1_u64 << 20, 1 << 31, 1 << 62] {
            let mut bytes = BytesMut::new();
            encode_key(1, WireType::LengthDelimited, &mut bytes);
            encode_varint(length, &mut bytes);
            bytes.put_u8(0);
            is_invalid(&bench.ask_bytes(&method, bytes, Context::default()).await?, "a field that claims more than there is")?;
        }
    }
    bench.works_on("after lengths that lie").await
}

async fn with(bench: &Bench, more: &[u8]) -> Result<Ended, crate::law::Finding> {
    let example = bench.good()?;
    let mut request = BytesMut::from(bench.request(&example.method, &example.request)?.as_ref());
    request.extend_from_slice(more);
    bench.ask_bytes(&example.method, request.freeze(), Context::default()).await
}

async fn unknown_field(bench: Bench) -> Held {
    let example = bench.good()?;
    let number = bench.contracts().free_number(&example.method);
    for wire_type in [WireType::Varint, WireType::LengthDelimited] {
        let mut more = BytesMut::new();
        encode_key(number, wire_type, &mut more);
        encode_varint(1, &mut more);
        if wire_type == WireType::LengthDelimited {
            more.put_u8(b'x');
        }
        let ended = with(&bench, &more).await?;
        bench.is_right(&example, &ended).map_err(|finding| super::call::after(finding, "with a field that it does not know"))?;
    }
    Ok(())
}

async fn empty(bench: Bench) -> Held {
    for example in &bench.file().calls {
        is_borne(&bench.ask_bytes(&example.method, Bytes::new(), Context::default()).await?, "an empty message")?;
    }
    bench.works_on("after an empty message").await
}

async fn wrong_type(bench: Bench) -> Held {
    for wire_type in [WireType::Varint, WireType::SixtyFourBit, WireType::ThirtyTwoBit] {
        let mut more = BytesMut::new();
        encode_key(1, wire_type, &mut more);
        more.put_bytes(1, if wire_type == WireType::Varint { 1 } else { 8 });
        is_borne(&with(&bench, &more).await?, "a field of another wire type")?;
    }
    bench.works_on("after fields of another type").await
}

/// The good example with other text in its first string field.
async fn with_text(bench: &Bench, text: &[u8]) -> Result<Option<Ended>, crate::law::Finding> {
    let example = bench.good()?;
    let Some(field) = bench.contracts().string_field(&example.method) else { return Ok(None) };
    let mut more = BytesMut::new();
    encode_key(field.number(), WireType::LengthDelimited, &mut more);
    encode_varint(text.len() as u64, &mut more);
    more.extend_from_slice(text);
    with(bench, &more).await.map(Some)
}

async fn not_utf8(bench: Bench) -> Held {
    for text in [&b"\xff"[..], b"a\xc3", b"\xed\xa0\x80"] {
        if let Some(ended) = with_text(&bench, text).await? {
            is_invalid(&ended, "text that is not UTF-8")?;
        }
    }
    Ok(())
}

async fn long_text(bench: Bench) -> Held {
    if let Some(ended) = with_text(&bench, "x".repeat(100_000).as_bytes()).await? {
        is_borne(&ended, "a text of 100,000 letters")?;
        let is_limit = !matches!(ended.fault, Some(Fault::Rejected { reason: Rejection::Denied, .. }));
        ensure(is_limit, || "a text that is too long is told as Denied".to_owned())?;
    }
    bench.works_on("after a long text").await
}

async fn control_characters(bench: Bench) -> Held {
    for text in ["\n", "\r\n\r\n", "\0", "a\nb", "';--", "\u{1b}[2J", "../../x", "%0d%0a"] {
        if let Some(ended) = with_text(&bench, text.as_bytes()).await? {
            is_borne(&ended, "a text with control characters")?;
        }
        // One too many answers would be seen by the next call.
        let example = bench.good()?;
        bench.right(&example).await.map_err(|finding| super::call::after(finding, "after control characters in a text"))?;
    }
    Ok(())
}
