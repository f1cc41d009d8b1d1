//! What names of hosts mean, as this machine knows it: its hosts file and its name servers.

use std::io;
use std::net::SocketAddr;

use passerelle_bus::call::Resolve;

/// The machine's own resolver.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names;

#[tonic::async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}
