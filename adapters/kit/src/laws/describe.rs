//! The handshake: versions, name, schema.

use passerelle_proto::adapter::v1::{DescribeRequest, DescribeResponse};
use serde_json::Value;
use tonic::{Code, Status};

use crate::bench::Bench;
use crate::law::{Finding, Held, Law, Need, broken, ensure};

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "describe.version",
        title: "Describe answers with version 1, which was offered",
        why: "The bus would speak a version that the adapter does not.",
        mend: "Answer with the best version of the request that you speak.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(version(bench)),
    },
    Law {
        id: "describe.newer-bus",
        title: "A bus that speaks newer versions too is answered with one that both speak",
        why: "Otherwise no bus could be renewed before all of its adapters.",
        mend: "Pass over versions that you do not know; take the first of the list that you speak.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(newer_bus(bench)),
    },
    Law {
        id: "describe.none-in-common",
        title: "Without a version in common, Describe is refused and names those of the adapter",
        why: "People must see which of both to renew.",
        mend: "Answer FAILED_PRECONDITION with the versions that you speak in the message.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(none_in_common(bench)),
    },
    Law {
        id: "describe.no-version",
        title: "A Describe that offers no version is refused",
        why: "To guess what the other side speaks is to find out in the middle of a call.",
        mend: "Answer FAILED_PRECONDITION to an empty list.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(no_version(bench)),
    },
    Law {
        id: "describe.again",
        title: "Describe has no effect and answers the same each time",
        why: "The bus asks anew whenever a connection was lost.",
        mend: "Answer from constants.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(again(bench)),
    },
    Law {
        id: "describe.kind",
        title: "The kind has a name in its author's name space",
        why: "Two adapters called `ledger` could not be told apart in settings and metrics.",
        mend: "Name it `AUTHOR/NAME`: lower-case letters, digits and dashes, one slash, at most 100 bytes.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(kind(bench)),
    },
    Law {
        id: "describe.words",
        title: "Release and summary are said, in one line each",
        why: "They are what people see of it in lists and logs.",
        mend: "Fill in both.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(words(bench)),
    },
    Law {
        id: "describe.schema",
        title: "The schema of the settings is a JSON schema of an object",
        why: "The bus holds settings against it, and editors help people with it.",
        mend: "Give a JSON schema (2020-12) with `type: object` and its `properties`.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(schema(bench)),
    },
    Law {
        id: "describe.schema.knows",
        title: "The schema knows the settings of the subject file",
        why: "A schema that does not tell a setting refuses who uses it, or is of no use.",
        mend: "Generate the schema from what reads the settings.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(schema_knows(bench)),
    },
];

async fn describe(bench: &Bench, versions: &[u32]) -> Result<Result<DescribeResponse, Status>, Finding> {
    let mut client = bench.wire()?.client().await.map_err(Finding::Broken)?;
    let request = DescribeRequest { versions: versions.to_vec(), bus: "passerelle-conformance".to_owned() };
    let answer = tokio::time::timeout(std::time::Duration::from_secs(10), client.describe(request)).await;
    let answer = answer.map_err(|_| Finding::Broken("Describe hangs: nothing came in 10 s".to_owned()))?;
    Ok(answer.map(tonic::Response::into_inner))
}

async fn described(bench: &Bench, versions: &[u32]) -> Result<DescribeResponse, Finding> {
    let refused = |status: Status| {
        Finding::Broken(format!("versions {versions:?} are answered with {:?}: {}", status.code(), status.message()))
    };
    describe(bench, versions).await?.map_err(refused)
}

async fn version(bench: Bench) -> Held {
    let version = described(&bench, &[1]).await?.version;
    ensure(version == 1, || format!("1 was offered, it says {version}"))
}

async fn newer_bus(bench: Bench) -> Held {
    for offered in [[9_000, 1], [1, 9_000]] {
        let version = described(&bench, &offered).await?.version;
        ensure(version == 1, || format!("{offered:?} were offered, it says {version}"))?;
    }
    Ok(())
}

async fn none_in_common(bench: Bench) -> Held {
    let message = refused(&bench, &[9_000]).await?;
    ensure(message.contains('1'), || format!("the refusal does not name version 1: {message}"))
}

async fn no_version(bench: Bench) -> Held {
    refused(&bench, &[]).await.map(drop)
}

async fn refused(bench: &Bench, versions: &[u32]) -> Result<String, Finding> {
    match describe(bench, versions).await? {
        Ok(answer) => broken(format!("versions {versions:?} are answered with {}", answer.version)),
        Err(status) if status.code() == Code::FailedPrecondition => Ok(status.message().to_owned()),
        Err(status) => {
            broken(format!("versions {versions:?} are refused with {:?}, not with FAILED_PRECONDITION", status.code()))
        }
    }
}

async fn again(bench: Bench) -> Held {
    let first = described(&bench, &[1]).await?;
    for _ in 0..3 {
        ensure(described(&bench, &[1]).await? == first, || "asked again, it answers something else".to_owned())?;
    }
    bench.works_on("after Describe in the middle").await
}

async fn kind(bench: Bench) -> Held {
    let name = described(&bench, &[1]).await?.kind;
    let is_written_so =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'/');
    let parts: Vec<&str> = name.split('/').collect();
    // Those of Passerelle itself have no slash.
    let is_spaced = parts.len() <= 2 && parts.iter().all(|part| !part.is_empty()) && (parts.len() == 2 || is_ours(&name));
    ensure(is_written_so && is_spaced && name.len() <= 100, || format!("its name is `{name}`"))
}

/// Kinds of Passerelle's own, which may be served over the wire too.
fn is_ours(name: &str) -> bool {
    ["mainframe", "documents", "callback", "crm", "sql"].contains(&name)
}

async fn words(bench: Bench) -> Held {
    let described = described(&bench, &[1]).await?;
    for (what, words) in [("release", &described.release), ("summary", &described.summary)] {
        ensure(!words.trim().is_empty(), || format!("{what} is empty"))?;
        ensure(!words.contains('\n') && words.chars().count() <= 200, || {
            format!("{what} is not one line of at most 200 characters")
        })?;
    }
    Ok(())
}

async fn read_schema(bench: &Bench) -> Result<Value, Finding> {
    let text = described(bench, &[1]).await?.settings_schema;
    serde_json::from_str(&text).map_err(|error| Finding::Broken(format!("the schema is no JSON: {error}")))
}

async fn schema(bench: Bench) -> Held {
    let schema = read_schema(&bench).await?;
    ensure(schema.get("type") == Some(&Value::from("object")), || "the schema does not say `type: object`".to_owned())?;
    let properties = schema.get("properties");
    ensure(properties.is_none_or(Value::is_object), || "`properties` is no object".to_owned())
}

async fn schema_knows(bench: Bench) -> Held {
    let schema = read_schema(&bench).await?;
    let is_open = schema.get("properties").is_none();
    let unknown =
        bench.file().settings.keys().find(|key| schema.get("properties").and_then(|all| all.get(key.as_str())).is_none());
    ensure(is_open || unknown.is_none(), || {
        format!("the schema does not know the setting `{}`", unknown.map_or("", String::as_str))
    })
}
