//! From a host's settings to its transport.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::{SecretRef, Secrets};
use passerelle_adapter_tls::Tls;
use passerelle_copybook::CodePage;

use super::Transport;
use super::ims_connect::ImsConnect;
use super::ims_connect::header::{Header, NAMES_CODE_PAGE};
use super::sockets::Sockets;
use super::tcp::Tcp;
use crate::connection::PoolSettings;
use crate::file::{Credentials, Host, Irm, TransportKind};
use crate::names::{NAME_BYTES, padded_name};

/// Makes ready to speak to a host of the integrator's file at `path`; connects to nothing yet. Must run inside a tokio runtime.
pub(crate) fn start(path: &Path, host: &Host, code_page: CodePage, secrets: &dyn Secrets) -> Result<Arc<dyn Transport>, String> {
    let response_limit_bytes = host.response_limit_bytes as usize;
    let pool = PoolSettings {
        endpoints: host.endpoints.clone(),
        tls: host.tls.as_ref().map(|tls| Tls::load(path, "tls", tls, None)).transpose()?,
        max: host.pool.max,
        waiting_max: host.pool.waiting_max,
        idle: Duration::from_millis(host.pool.idle_ms),
        connect_timeout: host.connect_timeout(),
    };
    Ok(match host.transport {
        TransportKind::Tcp => {
            let framing = host.framing.unwrap_or_default();
            Arc::new(Sockets::start(Tcp { framing, code_page, response_limit_bytes }, pool))
        }
        TransportKind::ImsConnect => {
            let irm = host.irm.as_ref().ok_or("an ims_connect host needs `irm`")?;
            let header = header(irm, host.credentials.as_ref(), secrets)?;
            Arc::new(Sockets::start(ImsConnect::new(header, &irm.client_prefix, response_limit_bytes), pool))
        }
    })
}

fn header(irm: &Irm, credentials: Option<&Credentials>, secrets: &dyn Secrets) -> Result<Header, String> {
    let name = |key: &str, text: &str| padded_name(text, NAMES_CODE_PAGE).map_err(|problem| format!("{key}: {problem}"));
    let secret = |key: &str, reference: Option<&SecretRef>| -> Result<[u8; NAME_BYTES], String> {
        let Some(reference) = reference else { return name(key, "") };
        let secret = secrets.find(reference).map_err(|error| format!("{key}: {error}"))?;
        name(key, secret.reveal())
    };
    Ok(Header {
        exit: irm.id,
        arch: irm.arch,
        sync_level: irm.sync_level,
        datastore: name("irm.datastore", &irm.datastore)?,
        lterm: name("irm.lterm", irm.lterm.as_deref().unwrap_or_default())?,
        application: name("irm.application", irm.application.as_deref().unwrap_or_default())?,
        user: secret("credentials.user", credentials.map(|who| &who.user))?,
        group: secret("credentials.group", credentials.and_then(|who| who.group.as_ref()))?,
        password: secret("credentials.password", credentials.map(|who| &who.password))?,
    })
}
