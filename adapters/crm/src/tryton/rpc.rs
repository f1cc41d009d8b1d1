//! Tryton's JSON-RPC: a session, the path of this version, and the faults that hide in answers with status 200.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use data_encoding::BASE64;
use hyper::StatusCode;
use hyper::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use passerelle_adapter::{Fault, Rejection, Secret};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::server::{Answer, Broken, Server};
use crate::wire::changed;

/// Where JSON-RPC is, behind the database's name: since 6.8 or so, and before.
const PATHS: [&str; 2] = ["rpc/", ""];
/// Come back after this long when a server that has too much to do does not say.
const RETRY_AFTER_USUAL: Duration = Duration::from_secs(1);

/// Whether a call may have changed something when its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Read,
    Effect,
}

/// A server, and who the bus is to it.
pub(super) struct Rpc {
    pub(super) server: Server,
    user: Secret,
    password: Secret,
    session: Mutex<Option<Arc<Session>>>,
}

struct Session {
    path: String,
    authorization: HeaderValue,
}

/// What was answered, and when by the server's own clock.
pub(super) struct Answered {
    pub(super) result: Value,
    pub(super) at: Option<SystemTime>,
}

impl Rpc {
    pub(super) fn new(server: Server, user: Secret, password: Secret) -> Self {
        Self { server, user, password, session: Mutex::default() }
    }

    /// Reads.
    pub(super) async fn read(&self, method: &str, parameters: Value) -> Result<Value, Fault> {
        self.call(method, parameters, Sort::Read).await.map(|answered| answered.result)
    }

    /// Calls a method in the session; in a new one if the server has forgotten it, which it says before it does anything.
    pub(super) async fn call(&self, method: &str, parameters: Value, sort: Sort) -> Result<Answered, Fault> {
        let body = json!({ "id": 1, "method": method, "params": parameters }).to_string().into_bytes();
        let mut renewed = false;
        loop {
            let session = self.session().await?;
            let posted = self.server.post(&session.path, Some(&session.authorization), body.clone()).await;
            let answer = posted.map_err(|broken| fault(broken, sort))?;
            if answer.status == StatusCode::UNAUTHORIZED || answer.status == StatusCode::FORBIDDEN {
                self.forget(&session).await;
                if !std::mem::replace(&mut renewed, true) {
                    continue;
                }
            }
            return self.understood(&answer, sort);
        }
    }

    async fn session(&self) -> Result<Arc<Session>, Fault> {
        // One login at a time: a server counts those that fail.
        let mut kept = self.session.lock().await;
        if let Some(session) = &*kept {
            return Ok(session.clone());
        }
        let session = Arc::new(self.login().await?);
        *kept = Some(session.clone());
        Ok(session)
    }

    async fn forget(&self, session: &Arc<Session>) {
        let mut kept = self.session.lock().await;
        kept.take_if(|kept| Arc::ptr_eq(kept, session));
    }

    async fn login(&self) -> Result<Session, Fault> {
        let parameters = json!([self.user.reveal(), { "password": self.password.reveal() }, "en"]);
        let body = json!({ "id": 1, "method": "common.db.login", "params": parameters }).to_string().into_bytes();
        for path in PATHS.map(|inner| self.server.path(inner)) {
            let answer = self.server.post(&path, None, body.clone()).await.map_err(|broken| fault(broken, Sort::Read))?;
            if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
                continue;
            }
            let result = self.understood(&answer, Sort::Read)?.result;
            // `[user, token]`, and behind them what later versions add.
            let (Some(user), Some(token)) = (result[0].as_i64(), result[1].as_str()) else {
                return Err(self.refused());
            };
            let triple = BASE64.encode(format!("{}:{user}:{token}", self.user.reveal()).as_bytes());
            let mut authorization = HeaderValue::try_from(format!("Session {triple}")).map_err(|_| self.refused())?;
            authorization.set_sensitive(true);
            return Ok(Session { path, authorization });
        }
        let (address, paths) = (&self.server.address, PATHS.map(|inner| self.server.path(inner)).join(" and "));
        Err(Fault::unavailable(format!("{address}: there is no JSON-RPC at {paths}: look at tryton.url and tryton.database")))
    }

    fn refused(&self) -> Fault {
        Fault::Unauthenticated { message: format!("{}: the server does not accept tryton.credentials", self.server.address) }
    }

    fn understood(&self, answer: &Answer, sort: Sort) -> Result<Answered, Fault> {
        let address = &self.server.address;
        let said = |what: &str| format!("{address}: {what}");
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Err(self.refused()),
            StatusCode::FORBIDDEN => return Err(Fault::rejected(Rejection::Denied, said("this user may not do that"))),
            StatusCode::TOO_MANY_REQUESTS => {
                let retry_after = retry_after(&answer.headers).unwrap_or(RETRY_AFTER_USUAL);
                return Err(Fault::Throttled { retry_after, message: said("the server asks for fewer calls") });
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let message = said("the server is not available (503)");
                return Err(Fault::Unavailable { retry_after: retry_after(&answer.headers), message });
            }
            // A proxy in between says that it lost the server, or something fell over while it worked.
            status if status.is_server_error() => {
                return Err(fault(Broken::Lost(said(&format!("the server answered {status}"))), sort));
            }
            status => return Err(Fault::unavailable(said(&format!("the server answered {status}")))),
        }
        let strange = || fault(Broken::Lost(said("the answer is not one of Tryton's JSON-RPC")), sort);
        let Value::Object(mut body) = serde_json::from_slice(&answer.body).map_err(|_| strange())? else {
            return Err(strange());
        };
        if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
            return Err(self.told(error));
        }
        let at = answer.headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        body.remove("result").map(|result| Answered { result, at }).ok_or_else(strange)
    }

    /// What an error in an answer means. trytond rolls its transaction back before it tells one. Its texts name records and values, so they
    /// are not passed on.
    fn told(&self, error: &Value) -> Fault {
        let address = &self.server.address;
        let no = |reason, what: &str| Fault::rejected(reason, format!("{address}: {what}"));
        match error[0].as_str().unwrap_or_default() {
            "ConcurrencyException" => changed(),
            "UserError" => {
                no(Rejection::Precondition, "Tryton refuses it by a rule of its own (UserError), which its client shows")
            }
            "UserWarning" => no(Rejection::Precondition, "Tryton asks a person for a confirmation first (UserWarning)"),
            "LoginException" => self.refused(),
            _ => Fault::unavailable(format!("{address}: trytond failed inside and undid what it had begun: look at its log")),
        }
    }
}

/// What may have happened when there is no answer.
fn fault(broken: Broken, sort: Sort) -> Fault {
    match (broken, sort) {
        (Broken::NotSent(fault), _) => fault,
        (Broken::Lost(why), Sort::Read) => Fault::unavailable(why),
        (Broken::Lost(why), Sort::Effect) => Fault::unknown(why),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
