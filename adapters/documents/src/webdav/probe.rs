//! What a server can do, found out by trying: nothing is believed because it was answered with 200.

use std::time::{Duration, SystemTime};

use passerelle_adapter::{Fault, Rejection};
use passerelle_proto::backoffice::documents::v1::{Completeness, Search};

use super::keys::is;
use super::line::{Ask, Broken, Line, SHORT};
use super::properties::update;
use super::server::last_name;
use super::verbs::Refused;
use crate::driver::Abilities;

/// Uploads that nobody has finished for this long are removed.
const UPLOADS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// What is remembered of keys is kept this long.
const KEYS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Entries that are swept at a start, at most.
const SWEPT: usize = 10_000;

/// Tries the server out; `mark` is a name that nobody else uses.
pub(super) async fn probe(line: &mut Line, mark: &str) -> Result<Abilities, Fault> {
    let server = line.server().clone();
    if line.resource(&server.base()).await?.is_none_or(|base| !base.collection) {
        let message = format!("{}: webdav.url is no collection of the server: make it, or correct it", server.address);
        return Err(Fault::rejected(Rejection::Precondition, message));
    }
    for own in ["", "uploads/", "keys/"] {
        line.collection(&server.own(own)).await?;
    }
    let (first, second) = (server.own(&format!("uploads/{mark}")), server.own(&format!("uploads/{mark}-placed")));
    line.put(&first, mark.to_owned().into()).await?;
    let kept = keeps_properties(line, &first, &second, mark).await;
    let abilities = match kept {
        Ok(true) => Ok(Abilities {
            versions: false,
            preconditions: honours_conditions(line, &first, &second).await?,
            search: Search::Scanned,
            changes: Completeness::Unspecified,
        }),
        Ok(false) => {
            let message = format!("{}: the server does not keep properties when a resource is moved", server.address);
            Err(Fault::rejected(Rejection::Precondition, message))
        }
        Err(fault) => Err(fault),
    };
    for path in [first, second] {
        // There may be none; what is left is swept one day.
        let _ = line.remove(&path, None).await;
    }
    for (own, kept) in [("uploads/", UPLOADS_KEPT), ("keys/", KEYS_KEPT)] {
        sweep(line, own, kept).await?;
    }
    abilities
}

async fn keeps_properties(line: &mut Line, first: &str, second: &str, mark: &str) -> Result<bool, Fault> {
    line.set(first, update(mark, "text/plain", &Default::default())).await?;
    match line.rename(first, second, false, None).await {
        Ok(()) => {}
        Err(Refused::No(fault)) => return Err(fault),
        Err(Refused::Perhaps(why)) => return Err(Fault::unavailable(why)),
    }
    Ok(line.resource(second).await?.is_some_and(|moved| is(&moved, mark)))
}

/// Whether `Overwrite: F` and locks are obeyed, and states can be told apart.
async fn honours_conditions(line: &mut Line, first: &str, second: &str) -> Result<bool, Fault> {
    line.put(first, "another".into()).await?;
    let replaced = line.rename(first, second, false, None).await;
    if !matches!(replaced, Err(Refused::No(Fault::Rejected { reason: Rejection::Conflict, .. }))) {
        return Ok(false);
    }
    if line.resource(second).await?.is_none_or(|resource| resource.etag().is_empty()) {
        return Ok(false);
    }
    let Ok(token) = line.lock(second).await else {
        return Ok(false);
    };
    let headers = vec![("destination", line.server().url(second)), ("overwrite", "T".to_owned())];
    let ask = Ask { method: "MOVE", path: first, headers, body: Default::default() };
    let without_token = line.ask(ask, SHORT).await.map_err(Broken::harmless)?.status;
    line.unlock(second, &token).await;
    Ok(without_token.as_u16() == 423)
}

/// Removes what is older than `kept`.
async fn sweep(line: &mut Line, own: &str, kept: Duration) -> Result<(), Fault> {
    let path = line.server().own(own);
    let Ok(Some(found)) = line.inside(&path, SWEPT).await else {
        tracing::warn!(own, "what is left over is not swept: there is too much of it, or it cannot be listed");
        return Ok(());
    };
    let now = SystemTime::now();
    for resource in found {
        let modified = resource.dav("getlastmodified").and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        let old = modified.and_then(|at| now.duration_since(at).ok()).is_some_and(|age| age > kept);
        if let Some(name) = last_name(&resource.href).filter(|_| old && !resource.collection) {
            let _ = line.remove(&line.server().own(&format!("{own}{name}")), None).await;
        }
    }
    Ok(())
}
