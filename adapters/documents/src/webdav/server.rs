//! A server: where it is, how it is reached, and which paths its documents have.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use hyper::Uri;
use hyper::header::HeaderValue;
use passerelle_adapter::{Fault, Secrets};
use passerelle_adapter_tls::Tls;
use passerelle_proto::backoffice::documents::v1::Reference;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::checks::OWN;
use crate::file::WebdavSettings;

/// What a path's part holds as it is (RFC 3986, `unreserved`).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server and the collection on it that holds the documents.
pub(super) struct Server {
    /// `http` or `https`.
    scheme: &'static str,
    /// As in the `Host` header.
    pub(super) authority: String,
    /// `name:port` to connect to.
    pub(super) address: String,
    /// The collection, escaped, without a final stroke: `/dav/archive`.
    base: String,
    pub(super) tls: Option<Tls>,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) connect_timeout: Duration,
    pub(super) answer_timeout: Duration,
    connections: Arc<Semaphore>,
}

impl Server {
    /// Reads what the integrator wrote; `path` is his file.
    pub(super) fn new(path: &Path, settings: &WebdavSettings, secrets: &dyn Secrets) -> Result<Self, String> {
        let uri: Uri = settings.url.parse().map_err(|error| format!("webdav.url: {error}"))?;
        let host = uri.host().ok_or("webdav.url has no host: write `https://name/collection/`")?.to_owned();
        if uri.query().is_some() || settings.url.contains(['@', '#']) {
            return Err("webdav.url takes a host and a path, nothing else: credentials stand in `credentials`".to_owned());
        }
        let (scheme, usual_port) = match uri.scheme_str() {
            Some("http") => ("http", 80),
            Some("https") => ("https", 443),
            _ => return Err("webdav.url begins with `http://` or `https://`".to_owned()),
        };
        let tls = match (scheme, &settings.tls) {
            ("https", Some(tls)) => Some(Tls::load(path, "webdav.tls", tls, Some(host.trim_matches(['[', ']'])))?),
            ("https", None) => return Err("webdav.tls is missing: `https` needs `tls: { ca: … }`".to_owned()),
            (_, Some(_)) => return Err("webdav.tls belongs to `https`, webdav.url is `http`".to_owned()),
            (_, None) => None,
        };
        Ok(Self {
            scheme,
            authority: uri.authority().map(ToString::to_string).unwrap_or_default(),
            address: format!("{host}:{}", uri.port_u16().unwrap_or(usual_port)),
            base: uri.path().trim_end_matches('/').to_owned(),
            tls,
            authorization: authorization(settings, secrets)?,
            connect_timeout: Duration::from_millis(settings.connect_timeout_ms.into()),
            answer_timeout: Duration::from_millis(settings.answer_timeout_ms.into()),
            connections: Arc::new(Semaphore::new(settings.connections as usize)),
        })
    }

    /// A place among the connections; whoever waits too long is throttled.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let place = tokio::time::timeout(self.connect_timeout, self.connections.clone().acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or_else(|| Fault::Throttled {
            retry_after: self.connect_timeout,
            message: format!("{}: every connection is in use", self.address),
        })
    }

    /// The collection of all documents.
    pub(super) fn base(&self) -> String {
        format!("{}/", self.base)
    }

    /// A folder, with its final stroke.
    pub(super) fn folder(&self, folder: &str) -> String {
        let names = folder.split('/').filter(|name| !name.is_empty());
        names.fold(self.base(), |path, name| path + &escaped(name) + "/")
    }

    /// A document.
    pub(super) fn document(&self, reference: &Reference) -> String {
        self.folder(&reference.folder) + &escaped(&reference.name)
    }

    /// Something of the adapter's own.
    pub(super) fn own(&self, inner: &str) -> String {
        format!("{}/{OWN}/{inner}", self.base)
    }

    /// A path as other headers want it.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.authority)
    }
}

fn authorization(settings: &WebdavSettings, secrets: &dyn Secrets) -> Result<Option<HeaderValue>, String> {
    let Some(credentials) = &settings.credentials else { return Ok(None) };
    let find = |what: &str, reference| secrets.find(reference).map_err(|error| format!("webdav.credentials.{what}: {error}"));
    let (user, password) = (find("user", &credentials.user)?, find("password", &credentials.password)?);
    if user.reveal().contains(':') {
        return Err("webdav.credentials.user has a `:`, which HTTP Basic cannot carry".to_owned());
    }
    let pair = BASE64.encode(format!("{}:{}", user.reveal(), password.reveal()).as_bytes());
    let mut value =
        HeaderValue::try_from(format!("Basic {pair}")).map_err(|_| "webdav.credentials cannot be written".to_owned())?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// A name as a path's part holds it.
pub(super) fn escaped(name: &str) -> String {
    utf8_percent_encode(name, ESCAPED).to_string()
}

/// The last name of a path that a server wrote: as a path or as a URL, escaped in its own way, with or without a final stroke.
pub(super) fn last_name(href: &str) -> Option<String> {
    let name = href.trim().trim_end_matches('/').rsplit('/').next()?;
    percent_decode_str(name).decode_utf8().ok().map(|name| name.into_owned())
}
