//! How commands reach a server: an address, and TLS where it is `https`.

use std::path::PathBuf;

use clap::Args;
use tonic::Status;
use tonic::transport::Channel;

use crate::explain;
use crate::failure::Failure;
use crate::serve::dial::dial;
use crate::serve::tls;
use crate::settings::EndpointTls;

/// TLS towards `https` addresses.
#[derive(Debug, Args)]
pub struct Tls {
    /// Who signed the server's certificate, a PEM file; needed for https
    #[arg(long, global = true, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The certificate to show (mutual TLS), a PEM file
    #[arg(long, global = true, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The private key of --cert, a PEM file
    #[arg(long, global = true, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// The name that the server's certificate must bear [default: the address's host]
    #[arg(long, global = true, value_name = "NAME")]
    pub server_name: Option<String>,
}

/// A channel to `address`; connects at the first call.
pub(crate) fn channel(address: &str, tls: &Tls) -> Result<Channel, Failure> {
    let https = address.starts_with("https://");
    if https && tls.ca.is_none() {
        let reason = format!("{address}: name who signed its certificate with --ca FILE; no authority is trusted by itself");
        return Err(Failure::new(explain::Code::TLS_UNUSABLE, reason));
    }
    let settings = EndpointTls {
        ca: tls.ca.clone(),
        certificate: tls.cert.clone(),
        key: tls.key.clone(),
        server_name: tls.server_name.clone(),
    };
    let config = https.then(|| self::tls::client(&settings)).transpose();
    let config = config.map_err(|error| Failure::new(explain::Code::TLS_UNUSABLE, error))?;
    dial(address, config, tls.server_name.as_deref()).map_err(Failure::usage)
}

/// Whether `status` was not said by a server, but by the connection that failed.
pub(crate) fn is_unreachable(status: &Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if error.is::<tonic::transport::Error>() || error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// Says that no `who` (a server, a Passerelle) was reached at `address`; `code` is for what is no matter of certificates.
pub(crate) fn unreachable(who: &str, address: &str, status: &Status, code: explain::Code) -> Failure {
    let mut reasons = reasons(status);
    if reasons.contains("http2 error") && address.starts_with("http:") {
        reasons.push_str("; if that port speaks TLS, write https:// and --ca FILE");
    }
    let code = if reasons.contains("certificate") { explain::Code::TLS_UNUSABLE } else { code };
    Failure::new(code, format!("no {who} answers at {address}: {reasons}"))
}

/// Why a connection failed, innermost reason last.
pub(crate) fn reasons(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let reason = error.to_string();
        // "transport error" says nothing that its source does not say better.
        if !error.is::<tonic::transport::Error>() && !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        source = error.source();
    }
    text
}
