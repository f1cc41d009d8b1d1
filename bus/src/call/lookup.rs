//! A call whose answer was lost: the adapter looks up, by the caller's key, what became of the operation.

use bytes::Bytes;
use passerelle_adapter::{Adapter, Fault, Lookup};

use super::Route;

/// The answer of an operation that ended in a [`Fault::Unknown`], or what the fault is when more is known. It is looked up only where it can
/// be: under a key, for a method with one answer, by an adapter that declares that it can tell.
pub(super) async fn look_up(adapter: &dyn Adapter, route: &Route, key: Option<&str>, fault: Fault) -> Result<Bytes, Fault> {
    let Fault::Unknown { message } = &fault else { return Err(fault) };
    let Some(key) = key.filter(|_| !route.streaming.server && adapter.abilities().lookup) else { return Err(fault) };
    let found = adapter.lookup(key).await;
    tracing::debug!(
        method = route.method(),
        endpoint = route.endpoint.name(),
        found = word(&found),
        "an answer was lost and looked up"
    );
    match found {
        Ok(Lookup::Done(answer)) => Ok(answer),
        // Whoever owns the retries may ask again now, as if the back office had never been reached.
        Ok(Lookup::NotDone) => Err(Fault::unavailable(format!(
            "{message}; it was looked up: it had no effect, and can be asked for again under the same key"
        ))),
        Ok(Lookup::Undecided) => Err(Fault::unknown(format!(
            "{message}; it was looked up: whether it had its effect cannot be told, a person has to look"
        ))),
        Err(why) => Err(Fault::unknown(format!("{message}; it could not be looked up: {why}"))),
    }
}

fn word(found: &Result<Lookup, Fault>) -> &'static str {
    match found {
        Ok(Lookup::Done(_)) => "done",
        Ok(Lookup::NotDone) => "not done",
        Ok(Lookup::Undecided) => "undecided",
        Err(_) => "nothing",
    }
}
