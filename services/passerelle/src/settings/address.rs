//! The two sorts of address people write: where we listen, and where a server is.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where we listen: an IP address and a port. Unlike [`Address`], never a name: a name may mean several addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ListenAddress(pub SocketAddr);

impl TryFrom<String> for ListenAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            |_| format!("`{text}` is no IP address with a port; write for example 127.0.0.1:7400, 0.0.0.0:7400 or [::]:7400");
        text.parse().map(Self).map_err(wrong)
    }
}

impl From<ListenAddress> for String {
    fn from(address: ListenAddress) -> Self {
        address.0.to_string()
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Where a server is: `http://host:port` or `https://host:port`, nothing after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Address(http::Uri);

impl Address {
    /// The address as a URI with scheme and authority.
    pub fn uri(&self) -> &http::Uri {
        &self.0
    }

    /// Whether TLS is spoken there.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == Some(&http::uri::Scheme::HTTPS)
    }

    /// The host, without brackets when it is an IPv6 address.
    pub fn host(&self) -> &str {
        self.0.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{}` {why}; write for example http://127.0.0.1:50051", without_credentials(text));
        let uri: http::Uri = text.parse().map_err(|_| wrong("is no address of a server"))?;
        match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(authority)) => {
                if authority.as_str().contains('@') {
                    return Err(wrong("has credentials in it, which do not belong into an address"));
                }
                if authority.port_u16().is_none() || authority.host().is_empty() {
                    return Err(wrong("has no port or no host"));
                }
            }
            _ => return Err(wrong("does not begin with http:// or https://")),
        }
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(wrong("has a path, a server's address has none"));
        }
        Ok(Self(uri))
    }
}

/// What stands before `@` may be a password: it is not repeated in an error.
fn without_credentials(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => text.to_owned(),
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        write!(formatter, "{scheme}://{authority}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_and_port() {
        for good in ["http://127.0.0.1:50051", "https://cards.bank.example:443", "http://[::1]:1"] {
            assert_eq!(Address::from_str(good).unwrap().to_string(), good);
        }
        assert_eq!(Address::from_str("http://[::1]:1/").unwrap().host(), "::1");
        for bad in ["", "127.0.0.1:50051", "http://cards", "grpc://cards:1", "http://cards:1/v1", "http://:1", "http://a:99999"] {
            let error = Address::from_str(bad).unwrap_err();
            assert!(error.contains("write for example http://"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        let error = Address::from_str("http://bob:hunter2@cards:1").unwrap_err();
        assert!(error.contains("credentials") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_listening_address_is_an_ip_address_and_a_port() {
        assert!(ListenAddress::try_from("[::]:7400".to_owned()).is_ok());
        for bad in ["7400", ":7400", "localhost:7400", "127.0.0.1"] {
            assert!(ListenAddress::try_from(bad.to_owned()).unwrap_err().contains(bad));
        }
    }
}
