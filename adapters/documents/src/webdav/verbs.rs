//! The verbs of RFC 4918 on a connection, and what their answers mean.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderMap, RETRY_AFTER};
use passerelle_adapter::{Fault, Rejection};
use std::time::Duration;

use super::line::{Answer, Ask, Broken, Line, SHORT};
use super::multistatus::{self, Resource};
use super::properties;

/// A lock holds this long if it is not given back: longer than a check and a rename, short for those who wait after a crash of ours. An
/// effect that comes later than that is refused by the server, since it names the lock.
const LOCKED_SECONDS: u32 = 10;
/// Who meets a lock is told to come back after this long.
const RETRY_LOCKED: Duration = Duration::from_secs(1);
/// Room for one resource's properties, in bytes: the largest metadata, each byte of it escaped, and what servers add.
const RESOURCE: usize = 256 << 10;
/// What is read of one answer at most, in bytes.
const LONGEST: usize = 64 << 20;

const XML: (&str, &str) = ("content-type", "application/xml; charset=utf-8");

/// Why an effect is not known to have happened.
#[derive(Debug)]
pub(super) enum Refused {
    /// It has not happened.
    No(Fault),
    /// The server gave up in the middle of it; it does nothing more.
    Failed(String),
    /// It may have happened, or still will.
    Lost(String),
}

impl Line {
    /// A resource with its properties; `None` when there is none.
    pub(super) async fn resource(&mut self, path: &str) -> Result<Option<Resource>, Fault> {
        let found = self.properties(path, "0", 1).await?;
        Ok(found.and_then(|mut resources| resources.pop()))
    }

    /// What lies in a collection, at most `most` resources; `None` when there is no such collection.
    pub(super) async fn inside(&mut self, path: &str, most: usize) -> Result<Option<Vec<Resource>>, Fault> {
        // The collection itself is in the answer too.
        let found = self.properties(path, "1", most.saturating_add(1)).await?;
        Ok(found.map(|resources| {
            let itself = super::server::last_name(path);
            resources.into_iter().filter(|found| !(found.collection && super::server::last_name(&found.href) == itself)).collect()
        }))
    }

    async fn properties(&mut self, path: &str, depth: &str, most: usize) -> Result<Option<Vec<Resource>>, Fault> {
        let ask =
            Ask { method: "PROPFIND", path, headers: vec![("depth", depth.to_owned()), xml()], body: properties::ALL.into() };
        let answer = self.ask(ask, most.saturating_mul(RESOURCE).min(LONGEST)).await.map_err(Broken::harmless)?;
        match answer.status {
            StatusCode::MULTI_STATUS => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            _ => return Err(self.fault("PROPFIND", &answer)),
        }
        let unreadable = |why: &str| Fault::unavailable(format!("{}: PROPFIND: {why}", self.server().address));
        let text = std::str::from_utf8(&answer.body).map_err(|_| unreadable("the answer is no UTF-8"))?;
        multistatus::read(text, most).map(Some).map_err(|why| unreadable(&why))
    }

    /// Sets properties: all of them, or it fails.
    pub(super) async fn set(&mut self, path: &str, update: String) -> Result<(), Fault> {
        let ask = Ask { method: "PROPPATCH", path, headers: vec![xml()], body: update.into() };
        let answer = self.ask(ask, RESOURCE).await.map_err(Broken::harmless)?;
        if answer.status != StatusCode::MULTI_STATUS {
            return Err(self.fault("PROPPATCH", &answer));
        }
        let text = String::from_utf8_lossy(&answer.body);
        let set = multistatus::read(&text, 1);
        if set.is_ok_and(|set| set.len() == 1 && set.iter().all(|resource| !resource.refused)) {
            return Ok(());
        }
        Err(Fault::unavailable(format!("{}: the server does not keep the document's properties", self.server().address)))
    }

    /// Makes a collection where there is none.
    pub(super) async fn collection(&mut self, path: &str) -> Result<(), Fault> {
        let answer = self.plain("MKCOL", path, Vec::new(), Bytes::new()).await?;
        match answer.status {
            // RFC 4918, section 9.3.1: there is something already.
            StatusCode::CREATED | StatusCode::METHOD_NOT_ALLOWED => Ok(()),
            _ => Err(self.fault("MKCOL", &answer)),
        }
    }

    /// Writes something small that nobody but the adapter sees.
    pub(super) async fn put(&mut self, path: &str, body: Bytes) -> Result<(), Fault> {
        let answer = self.plain("PUT", path, Vec::new(), body).await?;
        if answer.status.is_success() { Ok(()) } else { Err(self.fault("PUT", &answer)) }
    }

    /// Reads something small; `None` when there is none.
    pub(super) async fn small(&mut self, path: &str) -> Result<Option<Bytes>, Fault> {
        let answer = self.plain("GET", path, Vec::new(), Bytes::new()).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            _ => Err(self.fault("GET", &answer)),
        }
    }

    /// Takes the only lock, and gives its token.
    pub(super) async fn lock(&mut self, path: &str) -> Result<String, Fault> {
        let headers = vec![("depth", "0".to_owned()), ("timeout", format!("Second-{LOCKED_SECONDS}")), xml()];
        let answer = self.plain("LOCK", path, headers, properties::LOCK.into()).await?;
        let token = answer.headers.get("lock-token").and_then(|token| token.to_str().ok());
        match token.map(|token| token.trim().trim_matches(['<', '>'])) {
            Some(token) if answer.status.is_success() => Ok(token.to_owned()),
            _ => Err(self.fault("LOCK", &answer)),
        }
    }

    /// Gives a lock back. One that cannot be given back lapses.
    pub(super) async fn unlock(&mut self, path: &str, token: &str) {
        let given = self.plain("UNLOCK", path, vec![("lock-token", format!("<{token}>"))], Bytes::new()).await;
        if let Err(fault) = given {
            tracing::warn!(%fault, lapses_in_seconds = LOCKED_SECONDS, "a lock cannot be given back");
        }
    }

    /// Puts a resource in its place; `token` is that of the lock on what it replaces. Without one, nothing is replaced.
    pub(super) async fn rename(&mut self, from: &str, to: &str, replace: bool, token: Option<&str>) -> Result<(), Refused> {
        let overwrite = if replace { "T" } else { "F" };
        let mut headers = vec![("destination", self.server().url(to)), ("overwrite", overwrite.to_owned())];
        headers.extend(self.holding(to, token));
        self.effect(Ask { method: "MOVE", path: from, headers, body: Bytes::new() }).await
    }

    /// Removes a resource; `token` is that of the lock on it.
    pub(super) async fn remove(&mut self, path: &str, token: Option<&str>) -> Result<(), Refused> {
        let headers = self.holding(path, token).into_iter().collect();
        self.effect(Ask { method: "DELETE", path, headers, body: Bytes::new() }).await
    }

    /// RFC 4918, section 10.4: a tagged list, since an untagged one is held against the collection around it as well.
    fn holding(&self, path: &str, token: Option<&str>) -> Option<(&'static str, String)> {
        token.map(|token| ("if", format!("<{}> (<{token}>)", self.server().url(path))))
    }

    async fn effect(&mut self, ask: Ask<'_>) -> Result<(), Refused> {
        let method = ask.method;
        let answer = match self.ask(ask, RESOURCE).await {
            Ok(answer) => answer,
            Err(Broken::NotSent(why)) => return Err(Refused::No(Fault::unavailable(why))),
            Err(Broken::Lost(why)) => return Err(Refused::Lost(why)),
        };
        match answer.status {
            // Some of it was done, some not.
            StatusCode::MULTI_STATUS => Err(Refused::Failed(format!("{method} was done in part"))),
            status if status.is_success() => Ok(()),
            status if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE => {
                Err(Refused::Failed(format!("{}: {method} was answered with {status}", self.server().address)))
            }
            _ => Err(Refused::No(self.fault(method, &answer))),
        }
    }

    async fn plain(
        &mut self,
        method: &'static str,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    ) -> Result<Answer, Fault> {
        self.ask(Ask { method, path, headers, body }, SHORT).await.map_err(Broken::harmless)
    }

    /// What an answer means that is not the one hoped for. The path is not told: it may name a customer.
    pub(super) fn fault(&self, method: &str, answer: &Answer) -> Fault {
        fault(&self.server().address, method, answer.status, &answer.headers)
    }
}

/// As [`Line::fault`].
pub(super) fn fault(address: &str, method: &str, status: StatusCode, headers: &HeaderMap) -> Fault {
    let message = format!("{address}: {method} was answered with {status}");
    let seconds = headers.get(RETRY_AFTER).and_then(|after| after.to_str().ok()).and_then(|after| after.parse().ok());
    let retry_after = seconds.map(Duration::from_secs);
    let rejected = |reason| Fault::rejected(reason, message.clone());
    match status.as_u16() {
        401 | 407 => Fault::Unauthenticated { message },
        403 => rejected(Rejection::Denied),
        404 | 410 => rejected(Rejection::NotFound),
        412 => rejected(Rejection::Conflict),
        413 | 414 | 431 => rejected(Rejection::Invalid),
        423 => Fault::Unavailable { retry_after: Some(RETRY_LOCKED), message: format!("{message}: somebody else has locked it") },
        429 => Fault::Throttled { retry_after: retry_after.unwrap_or(RETRY_LOCKED), message },
        500.. => Fault::Unavailable { retry_after, message },
        _ => rejected(Rejection::Precondition),
    }
}

fn xml() -> (&'static str, String) {
    (XML.0, XML.1.to_owned())
}
