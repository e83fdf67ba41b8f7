//! HTTP as a caller of the server speaks it.

use std::sync::Once;

use reqwest::{Client, ClientBuilder};

/// The start of a client.
pub fn client() -> ClientBuilder {
    install_tls();
    Client::builder()
}

/// Chooses who does the TLS of this process: every client asks, though no test has a server with a certificate.
pub(crate) fn install_tls() {
    static ONCE: Once = Once::new();
    // Whoever came first has installed the same.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}
