//! Channels to back offices for the bus's own questions (reflection); calls have their own connections.

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

/// A channel that connects at its first call. `tls` is for `https` addresses.
pub(crate) fn dial(address: &str, tls: Option<Arc<ClientConfig>>, server_name: Option<&str>) -> Result<Channel, String> {
    let endpoint: Endpoint = address.parse().map_err(|_| format!("{address} is no address: write http://host:port"))?;
    let Some(config) = tls else {
        return match endpoint.uri().scheme_str() {
            Some("http") => Ok(endpoint.connect_lazy()),
            Some("https") => Err(format!("{address}: declare an endpoint with its TLS in the settings to reach it")),
            _ => Err(format!("{address} is no address: write http://host:port")),
        };
    };
    let host = server_name.or(endpoint.uri().host()).unwrap_or_default().to_owned();
    let name = ServerName::try_from(host).map_err(|_| format!("{address} has no name that a certificate could bear"))?;
    let connector = TlsConnector::from(config);
    Ok(endpoint.connect_with_connector_lazy(tower::service_fn(move |uri: Uri| secure(uri, connector.clone(), name.clone()))))
}

type Secured = TokioIo<tokio_rustls::client::TlsStream<TcpStream>>;

async fn secure(uri: Uri, connector: TlsConnector, name: ServerName<'static>) -> std::io::Result<Secured> {
    let stream = TcpStream::connect((uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443))).await?;
    Ok(TokioIo::new(connector.connect(name, stream).await?))
}
