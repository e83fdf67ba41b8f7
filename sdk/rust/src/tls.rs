//! How a client secures its connection: whom it trusts as the server, and the certificate that it shows.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::Uri;
use tower::{Service, ServiceExt};

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::proxy::Proxy;
use crate::tls_trouble::explain;
use crate::tunnel;

/// What is spoken within TLS.
const PROTOCOL: &[u8] = b"h2";

/// Certificates or a key, as PEM: the file that they are in, or themselves.
#[derive(Clone)]
pub enum Pem {
    /// They are in this file, which is read when the client is made.
    File(PathBuf),
    /// They are these bytes.
    Bytes(Vec<u8>),
}

/// A connection that the server has proven to be its own.
pub(crate) type Secured = TokioIo<TlsStream<TcpStream>>;

/// Why there is no connection.
type ConnectError = Box<dyn std::error::Error + Send + Sync>;

/// What is set of TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) ca: Option<Pem>,
    pub(crate) cert: Option<Pem>,
    pub(crate) key: Option<Pem>,
}

/// What connections are secured with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Given {
    pub(crate) fn is_empty(&self) -> bool {
        self.ca.is_none() && self.cert.is_none() && self.key.is_none()
    }
}

impl Tls {
    /// # Errors
    /// [`crate::ErrorKind::Invalid`], which names the option that is wrong.
    pub(crate) fn new(given: &Given) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| Error::internal(error.to_string()))?
            .with_root_certificates(roots(given.ca.as_ref())?);
        let mut config = match (&given.cert, &given.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                let chain = certificates("cert", cert)?;
                let key = PrivateKeyDer::from_pem_slice(&key.read("key")?)
                    .map_err(|error| unusable("key", key, &error))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| {
                    Error::config(format!("`cert` and `key` do not go together: {error}"))
                })?
            }
            _ => {
                let help = "give both `cert` and `key` (HITL_CERT, HITL_KEY), or neither";
                return Err(Error::config(help.to_owned()));
            }
        };
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Connects to `endpoint`, whatever address is asked for, through `proxy` if there is one. Errors of TCP are left
    /// as they are, so that they are read as without TLS.
    pub(crate) fn connector(
        self,
        endpoint: Endpoint,
        proxy: Option<Proxy>,
    ) -> impl Service<
        Uri,
        Response = Secured,
        Error = ConnectError,
        Future = impl Future<Output = Result<Secured, ConnectError>> + Send,
    > + Send
    + 'static {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tower::service_fn(move |uri: Uri| {
            let (tls, endpoint, tcp) = (self.clone(), endpoint.clone(), tcp.clone());
            let proxy = proxy.clone();
            async move {
                let stream = match proxy {
                    Some(proxy) => tunnel::open(&proxy, &endpoint).await?,
                    None => tcp.oneshot(uri).await?.into_inner(),
                };
                Ok::<_, ConnectError>(tls.secure(&endpoint, stream).await?)
            }
        })
    }

    async fn secure(&self, endpoint: &Endpoint, stream: TcpStream) -> Result<Secured> {
        let name = ServerName::try_from(endpoint.host_name().to_owned()).map_err(|error| {
            Error::config(format!("no certificate is for {}: {error}", endpoint.host_name()))
        })?;
        let connected = TlsConnector::from(self.0.clone()).connect(name, stream).await;
        let stream = connected.map_err(|error| explain(endpoint, &error))?;
        if stream.get_ref().1.alpn_protocol() != Some(PROTOCOL) {
            return Err(Error::no_server(format!(
                "{endpoint} does not speak HTTP/2, so it is no hitl server"
            )));
        }
        Ok(TokioIo::new(stream))
    }
}

impl Pem {
    /// Whether it names or has anything.
    pub(crate) fn is_set(&self) -> bool {
        match self {
            Self::File(path) => !path.as_os_str().is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
        }
    }

    fn read(&self, option: &str) -> Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::File(path) => std::fs::read(path).map_err(|error| unusable(option, self, &error)),
        }
    }
}

impl From<&str> for Pem {
    fn from(file: &str) -> Self {
        Self::File(file.into())
    }
}

impl From<String> for Pem {
    fn from(file: String) -> Self {
        Self::File(file.into())
    }
}

impl From<PathBuf> for Pem {
    fn from(file: PathBuf) -> Self {
        Self::File(file)
    }
}

impl From<&Path> for Pem {
    fn from(file: &Path) -> Self {
        Self::File(file.into())
    }
}

impl From<Vec<u8>> for Pem {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&[u8]> for Pem {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// A key is never shown.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Bytes(bytes) => write!(f, "({} bytes)", bytes.len()),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// Whom to trust: the authorities in `ca`, else those of this machine.
fn roots(ca: Option<&Pem>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(ca) => {
            for certificate in certificates("ca", ca)? {
                roots.add(certificate).map_err(|error| unusable("ca", ca, &error))?;
            }
        }
        None => {
            // Some that cannot be read harm nothing.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(Error::config(
                    "this machine trusts no authority: give that of the server as `ca`, or in HITL_CA".to_owned(),
                ));
            }
        }
    }
    Ok(roots)
}

fn certificates(option: &str, pem: &Pem) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = pem.read(option)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let read = read.map_err(|error| unusable(option, pem, &error))?;
    if read.is_empty() {
        return Err(unusable(option, pem, &"there is no certificate in PEM"));
    }
    Ok(read)
}

fn unusable(option: &str, pem: &Pem, why: &dyn fmt::Display) -> Error {
    let variable = option.to_ascii_uppercase();
    Error::config(format!("`{option}` (HITL_{variable}) is not usable, {pem:?}: {why}"))
}
