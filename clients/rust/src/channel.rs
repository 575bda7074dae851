//! How the client's channels are set up: addresses, sizes, keepalive, reconnecting.

use std::time::Duration;

use thiserror::Error;
use tonic::transport::{Channel, Endpoint, Uri};

/// Where the service listens unless it is told otherwise.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:7433";

/// No message is larger, either way.
pub(crate) const MESSAGE_BYTES: usize = 32 << 20;

/// Something that is no address.
#[derive(Debug, Error)]
pub enum AddressError {
    /// A URL.
    #[error("an address has no scheme: {address:?} instead of {url:?}")]
    Scheme {
        /// What was given.
        url: String,
        /// The address in it.
        address: String,
    },
    /// Neither HOST:PORT nor unix:PATH.
    #[error("not an address: {0:?}; it looks like 127.0.0.1:7433 or unix:/path")]
    Malformed(String),
}

/// Opens a channel; it connects with the first call, and again after a cut.
pub(crate) fn open(address: &str) -> Result<Channel, AddressError> {
    Ok(configured(endpoint(address)?).connect_lazy())
}

fn endpoint(address: &str) -> Result<Endpoint, AddressError> {
    let malformed = || AddressError::Malformed(address.to_owned());
    for scheme in ["http://", "https://", "grpc://"] {
        if let Some(rest) = address.strip_prefix(scheme) {
            let (url, address) = (address.to_owned(), rest.trim_end_matches('/').to_owned());
            return Err(AddressError::Scheme { url, address });
        }
    }
    if let Some(path) = address.strip_prefix("unix:") {
        if path.is_empty() {
            return Err(malformed());
        }
        return Endpoint::from_shared(address.to_owned()).map_err(|_| malformed());
    }
    let parsed: Uri = address.parse().map_err(|_| malformed())?;
    let no_host = parsed.host().is_none_or(str::is_empty);
    if no_host || parsed.port_u16().is_none() || parsed.scheme().is_some() {
        return Err(malformed());
    }
    Endpoint::from_shared(format!("http://{address}")).map_err(|_| malformed())
}

fn configured(endpoint: Endpoint) -> Endpoint {
    endpoint
        // Calls wait in line behind a connection that is being made.
        .connect_timeout(Duration::from_secs(5))
        // The service takes a ping every 10 s and no more often.
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        // A BadRequest with many violations travels in the trailing metadata.
        .http2_max_header_list_size(64 << 10)
        // Streams that nobody reads at the moment hold back a window each; there has to be room for other calls.
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(256 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_a_port_and_sockets_are_addresses() {
        for address in ["127.0.0.1:7433", "localhost:1", "[::1]:7433", "unix:/run/slotd.sock"] {
            endpoint(address).unwrap();
        }
    }

    #[test]
    fn a_url_is_told_without_its_scheme() {
        let error = endpoint("http://jobs.example:7433/").unwrap_err();
        assert!(matches!(error, AddressError::Scheme { address, .. } if address == "jobs.example:7433"));
    }

    #[test]
    fn anything_else_is_refused() {
        for address in ["", "localhost", " localhost:1", "localhost:port", "unix:", ":7433", "a:1/b"] {
            let found = endpoint(address);
            assert!(matches!(found, Err(AddressError::Malformed(_))), "{address:?}");
        }
    }
}
