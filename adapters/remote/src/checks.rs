//! Harmless checks of an adapter that has just introduced itself: one that fails them is quarantined before a caller meets it.

use std::time::Duration;

use passerelle_proto::adapter::v1::fault::Class;
use passerelle_proto::adapter::v1::{self, CallRequest, LookupRequest, call_request, call_response, lookup_response};
use tonic::Code;

use crate::connection::Client;
use crate::contracts;
use crate::hello::Introduced;
use crate::link::Trouble;

/// What one check may take; `Health` is promised within a second.
const CHECK: Duration = Duration::from_secs(2);
/// A method that no contract has.
const NO_METHOD: &str = "passerelle.adapter.v1.NoSuchService/NoSuchMethod";
/// A key that no operation has.
const NO_KEY: &str = "passerelle-check";

/// Tries the adapter without an effect.
pub(crate) async fn pass(client: &mut Client, introduced: &Introduced) -> Result<(), Trouble> {
    let refused = |text: String| Err(Trouble::Refused(text));
    if let Some(problem) = contracts::problem(&introduced.speaks.contracts) {
        return refused(problem);
    }
    timed("health", client.health(v1::HealthRequest {})).await?;
    match unknown_method(client).await? {
        Some(Class::Unimplemented(_)) => {}
        Some(Class::Unavailable(_) | Class::Throttled(_)) => return Err(Trouble::Away("it takes no calls now".to_owned())),
        other => {
            return refused(format!(
                "a call of a method that it does not have is answered with {}, not unimplemented",
                class(&other)
            ));
        }
    }
    if !introduced.speaks.abilities.is_some_and(|abilities| abilities.lookup) {
        let looked = timed("lookup", client.lookup(LookupRequest { idempotency_key: NO_KEY.to_owned() })).await?;
        match looked.what {
            Some(lookup_response::What::Fault(v1::Fault { class: Some(Class::Unimplemented(_)), .. })) => {}
            _ => return refused("it does not declare `lookup`, and answers it all the same".to_owned()),
        }
    }
    Ok(())
}

async fn timed<T>(what: &str, answer: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>) -> Result<T, Trouble> {
    match tokio::time::timeout(CHECK, answer).await {
        Err(_) => Err(Trouble::Silent(format!("{what} was not answered within {} s", CHECK.as_secs()))),
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) if matches!(status.code(), Code::Unavailable | Code::Cancelled) => {
            Err(Trouble::Away(format!("{what}: {}", status.message())))
        }
        Ok(Err(status)) => Err(Trouble::Refused(format!("{what} failed: {:?}: {}", status.code(), status.message()))),
    }
}

/// The class of the fault that a call of no method ends with.
async fn unknown_method(client: &mut Client) -> Result<Option<Class>, Trouble> {
    let start = v1::Start {
        method: NO_METHOD.to_owned(),
        idempotency_key: String::new(),
        credits: 1,
        message: Some(bytes::Bytes::new()),
    };
    let start = CallRequest { what: Some(call_request::What::Start(start)) };
    let mut answers = timed("a call", client.call(tokio_stream::iter([start]))).await?;
    let last = async {
        while let Some(answer) = answers.message().await? {
            if let Some(call_response::What::Fault(fault)) = answer.what {
                return Ok(Some(fault.class));
            }
        }
        Ok::<_, tonic::Status>(None)
    };
    match tokio::time::timeout(CHECK, last).await {
        Ok(Ok(Some(class))) => Ok(class),
        Ok(Ok(None)) => Err(Trouble::Refused("a call of a method that it does not have ends without a fault".to_owned())),
        Ok(Err(status)) => Err(Trouble::Refused(format!("a call failed: {:?}: {}", status.code(), status.message()))),
        Err(_) => Err(Trouble::Silent(format!("a call of a method that it does not have hangs for {} s", CHECK.as_secs()))),
    }
}

fn class(class: &Option<Class>) -> &'static str {
    match class {
        None => "a fault without a class",
        Some(Class::Rejected(_)) => "rejected",
        Some(Class::Throttled(_)) => "throttled",
        Some(Class::Unavailable(_)) => "unavailable",
        Some(Class::Unauthenticated(_)) => "unauthenticated",
        Some(Class::DeadlineExceeded(_)) => "deadline_exceeded",
        Some(Class::Unknown(_)) => "unknown",
        Some(Class::Unimplemented(_)) => "unimplemented",
    }
}
