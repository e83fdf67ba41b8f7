//! What is known of a client by its certificate.

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use webpki::EndEntityCert;

/// Most names that are kept of one kind.
const NAMES_MAX: usize = 32;

/// The certificate of a client, which an authority that this server was told to trust has signed. It is among the
/// extensions of each request of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The names in DNS that it is for.
    pub dns_names: Vec<String>,
    /// The addresses that it is for, such as `spiffe://example.org/task`.
    pub uri_names: Vec<String>,
    /// SHA-256 of the whole certificate.
    pub sha256: [u8; 32],
}

impl ClientCertificate {
    /// What `certificate`, which was verified, says. One that cannot be read has no names.
    pub(super) fn new(certificate: &CertificateDer<'_>) -> Self {
        let sha256 = Sha256::digest(certificate).into();
        let parsed = EndEntityCert::try_from(certificate).ok();
        let take = |names: &mut dyn Iterator<Item = &str>| {
            names.take(NAMES_MAX).map(str::to_owned).collect()
        };
        let dns_names = parsed.as_ref().map(|parsed| take(&mut parsed.valid_dns_names()));
        let uri_names = parsed.as_ref().map(|parsed| take(&mut parsed.valid_uri_names()));
        Self {
            dns_names: dns_names.unwrap_or_default(),
            uri_names: uri_names.unwrap_or_default(),
            sha256,
        }
    }
}
