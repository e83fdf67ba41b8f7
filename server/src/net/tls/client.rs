//! What is known of a client by its certificate.

use hitl_core::Timestamp;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// Most names that are kept of one kind.
const NAMES_MAX: usize = 32;
/// Longest name that is kept.
const NAME_BYTES_MAX: usize = 200;

/// The certificate of a client, which an authority that this server was told to trust has signed. It is among the
/// extensions of each request of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The names in DNS that it is for.
    pub dns_names: Vec<String>,
    /// The addresses that it is for, such as `spiffe://example.org/task`.
    pub uri_names: Vec<String>,
    /// The mail addresses that it is for.
    pub email_names: Vec<String>,
    /// The common names of its subject.
    pub common_names: Vec<String>,
    /// Until when it is good; not at all if that cannot be read.
    pub until: Option<Timestamp>,
    /// SHA-256 of the whole certificate.
    pub sha256: [u8; 32],
}

impl ClientCertificate {
    /// What `certificate`, which was verified, says. One that cannot be read has no names.
    pub(super) fn new(certificate: &CertificateDer<'_>) -> Self {
        let sha256 = Sha256::digest(certificate).into();
        let parsed = X509Certificate::from_der(certificate).ok().map(|(_, parsed)| parsed);
        let alternatives = parsed
            .as_ref()
            .and_then(|parsed| parsed.subject_alternative_name().ok().flatten())
            .map(|extension| extension.value.general_names.as_slice())
            .unwrap_or_default();
        let dns = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        };
        let uri = |name: &GeneralName<'_>| match name {
            GeneralName::URI(name) => Some((*name).to_owned()),
            _ => None,
        };
        let email = |name: &GeneralName<'_>| match name {
            GeneralName::RFC822Name(name) => Some((*name).to_owned()),
            _ => None,
        };
        let subject = parsed.iter().flat_map(|parsed| parsed.subject().iter_common_name());
        let until = parsed.as_ref().and_then(|parsed| {
            Timestamp::from_ms(parsed.validity().not_after.timestamp().checked_mul(1000)?)
        });
        Self {
            dns_names: kept(alternatives.iter().filter_map(dns)),
            uri_names: kept(alternatives.iter().filter_map(uri)),
            email_names: kept(alternatives.iter().filter_map(email)),
            common_names: kept(subject.filter_map(|name| name.as_str().ok()).map(str::to_owned)),
            until,
            sha256,
        }
    }
}

fn kept(names: impl Iterator<Item = String>) -> Vec<String> {
    names.filter(|name| name.len() <= NAME_BYTES_MAX).take(NAMES_MAX).collect()
}
