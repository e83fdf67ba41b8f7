//! The files with certificates and key, and what becomes of them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use super::Configs;
use crate::auth::key_file;

/// Largest file that is read: a bundle of all public authorities has a quarter of that.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What is spoken within TLS, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where certificates and key are, as PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate of this server, and those of whoever signed it.
    pub certificate: PathBuf,
    /// The key of the first.
    pub key: PathBuf,
    /// Who signs the certificates of clients, if clients may have some.
    pub clients: Option<ClientAuthority>,
}

/// Who signs the certificates of clients.
#[derive(Clone, Debug)]
pub struct ClientAuthority {
    /// The certificates of those authorities.
    pub file: PathBuf,
    /// Whether a client without a certificate is refused.
    pub required: bool,
}

/// What was in the files.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    clients: Option<Vec<u8>>,
}

impl TlsFiles {
    pub(super) fn read(&self) -> anyhow::Result<Contents> {
        let clients = self.clients.as_ref().map(|clients| read(&clients.file)).transpose()?;
        Ok(Contents { certificate: read(&self.certificate)?, key: read_key(&self.key)?, clients })
    }

    /// What to accept connections with, by these contents of the files.
    pub(super) fn configs(&self, contents: &Contents) -> anyhow::Result<Configs> {
        let chain = certificates(&self.certificate, &contents.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .with_context(|| format!("there is no private key in {}", self.key.display()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = |verifier: Option<Arc<dyn ClientCertVerifier>>| -> anyhow::Result<_> {
            let versions = ServerConfig::builder_with_provider(provider.clone())
                .with_protocol_versions(&[&TLS13, &TLS12])?;
            let clients = match verifier {
                Some(verifier) => versions.with_client_cert_verifier(verifier),
                None => versions.with_no_client_auth(),
            };
            let ours = clients.with_single_cert(chain.clone(), key.clone_key());
            let mut config = ours.with_context(|| {
                let (certificate, key) = (self.certificate.display(), self.key.display());
                format!("the key in {key} does not go with the certificate in {certificate}")
            })?;
            config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
            Ok(Arc::new(config))
        };
        let people = config(None)?;
        let programs = match (&self.clients, &contents.clients) {
            (Some(clients), Some(pem)) => config(Some(verifier(clients, pem, provider.clone())?))?,
            _ => people.clone(),
        };
        Ok(Configs { programs, people })
    }
}

/// What tells whether the certificate of a client is good.
fn verifier(
    clients: &ClientAuthority,
    pem: &[u8],
    provider: Arc<CryptoProvider>,
) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
    let shown = clients.file.display();
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&clients.file, pem)? {
        roots
            .add(certificate)
            .with_context(|| format!("{shown} has a certificate of no authority"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if clients.required { builder } else { builder.allow_unauthenticated() };
    builder.build().with_context(|| format!("cannot use the authorities in {shown}"))
}

/// The certificates in `pem`, which is what `file` has: one at least.
fn certificates(file: &Path, pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.with_context(|| format!("{} cannot be read as PEM", file.display()))?;
    if read.is_empty() {
        bail!("there is no certificate in {}: it has to be PEM", file.display());
    }
    Ok(read)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let open = || File::open(file).and_then(whole);
    open().with_context(|| format!("cannot read {}", file.display()))
}

/// The same of a file that nobody else may read.
fn read_key(file: &Path) -> anyhow::Result<Vec<u8>> {
    let open = || {
        let opened = File::open(file)?;
        key_file::refuse_exposed(file, &opened, "may pose as this server")?;
        whole(opened)
    };
    open().with_context(|| format!("cannot use the key {}", file.display()))
}

fn whole(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
