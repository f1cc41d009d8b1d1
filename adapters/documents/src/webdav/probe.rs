//! What a server can do, found out by trying: nothing is believed because it was answered with 200.

use std::time::{Duration, SystemTime};

use passerelle_adapter::{Fault, Rejection};
use passerelle_proto::backoffice::documents::v1::{Completeness, Search};

use super::keys::is;
use super::line::{Ask, Broken, Line, SHORT};
use super::properties::update;
use super::server::{escaped, last_name};
use super::verbs::Refused;
use crate::driver::Abilities;

/// Uploads that nobody has finished for this long are removed.
const UPLOADS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// What is remembered of keys is kept this long.
const KEYS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Characters that servers are known to misunderstand in the address that a resource is moved to.
const STRANGE: [char; 4] = ['%', '?', '#', ';'];
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
            refused: refused_characters(line, mark).await?,
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
        Err(Refused::Failed(why) | Refused::Lost(why)) => return Err(Fault::unavailable(why)),
    }
    Ok(line.resource(second).await?.is_some_and(|moved| is(&moved, mark)))
}

async fn refused_characters(line: &mut Line, mark: &str) -> Result<&'static [char], Fault> {
    if understands(line, mark, "-%41-a#b?c;d").await? {
        return Ok(&[]);
    }
    // Servers that take the name apart twice do not lose a percent sign by it.
    if understands(line, mark, "-%41-a").await? { Ok(&STRANGE[1..]) } else { Ok(&STRANGE) }
}

/// Whether a resource that is moved to a name with such an end arrives there.
async fn understands(line: &mut Line, mark: &str, end: &str) -> Result<bool, Fault> {
    // Whatever is cut off such a name, what is left is a name of our own.
    let name = format!("{mark}{end}");
    let server = line.server().clone();
    let (plain, strange) = (server.own(&format!("uploads/{mark}-plain")), server.own("uploads/") + &escaped(&name));
    line.put(&plain, Default::default()).await?;
    let _ = line.rename(&plain, &strange, false, None).await;
    let inside = line.inside(&server.own("uploads/"), SWEPT).await?.unwrap_or_default();
    let ours = inside.iter().filter_map(|found| last_name(&found.href)).filter(|found| found.starts_with(mark));
    let mut understood = false;
    for found in ours {
        understood |= found == name;
        if found.starts_with(&format!("{mark}-%41")) || found.starts_with(&format!("{mark}-A")) || found.ends_with("-plain") {
            let _ = line.remove(&(server.own("uploads/") + &escaped(&found)), None).await;
        }
    }
    Ok(understood)
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
            let path = line.server().own(own) + &escaped(&name);
            let _ = line.remove(&path, None).await;
        }
    }
    Ok(())
}
