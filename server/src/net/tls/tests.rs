//! Handshakes over real sockets, with certificates of the tests' own authority.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hitl_store::clock::{Clock, SystemClock};
use hitl_testing::certificates::{
    CLIENT_COMMON_NAME, CLIENT_DNS_NAME, CLIENT_EMAIL_NAME, CLIENT_URI_NAME, Certificates,
};
use prometheus_client::registry::Registry;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::net::socket::Socket;

struct Place {
    dir: TempDir,
    certificates: Certificates,
}

fn keeper(files: TlsFiles) -> Keeper {
    Keeper::load(files, &mut Registry::default()).unwrap()
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let certificates = Certificates::make(dir.path()).unwrap();
        Self { dir, certificates }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.file("server.pem"),
            key: self.file("server.key"),
            clients: None,
        }
    }

    fn files_for_clients(&self, required: bool) -> TlsFiles {
        let clients = Some(ClientAuthority { file: self.file("ca.pem"), required });
        TlsFiles { clients, ..self.files() }
    }

    fn copy(&self, from: &str, to: &str) {
        std::fs::write(self.file(to), self.certificates.pem(from).unwrap()).unwrap();
    }

    /// A client, with the certificate of this name if there is one.
    fn client(&self, certificate: Option<&str>, protocol: &[u8]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate("ca")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match certificate {
            Some(name) => {
                let key = self.certificates.pem(&format!("{name}.key")).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![self.certificate(name)], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config).into()
    }

    fn certificate(&self, name: &str) -> CertificateDer<'static> {
        let pem = self.certificates.pem(&format!("{name}.pem")).unwrap();
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }
}

/// A connected pair: the server's end, and the client's.
async fn pair() -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, connected) = tokio::join!(listener.accept(), TcpStream::connect(address));
    (Socket::new(accepted.unwrap().0), connected.unwrap())
}

/// What both ends come to. A client of TLS 1.3 learns by its first read that its certificate was refused.
async fn meet(
    tls: &Tls,
    client: &TlsConnector,
) -> (Option<Secured>, std::io::Result<TlsStream<TcpStream>>) {
    let (socket, stream) = pair().await;
    let name = ServerName::try_from("localhost").unwrap();
    tokio::join!(secure(tls, socket), client.connect(name, stream))
}

#[tokio::test]
async fn both_protocols_are_agreed_on_and_bytes_go_both_ways() {
    let place = Place::new();
    let tls = keeper(place.files()).tls();
    for protocol in [b"h2".as_slice(), b"http/1.1"] {
        let (server, client) = meet(&tls, &place.client(None, protocol)).await;
        let (mut server, mut client) = (server.unwrap(), client.unwrap());
        assert_eq!(client.get_ref().1.alpn_protocol(), Some(protocol));
        assert_eq!(server.client, None);
        let mut heard = [0; 4];
        client.write_all(b"ping").await.unwrap();
        server.wire.read_exact(&mut heard).await.unwrap();
        server.wire.write_all(b"pong").await.unwrap();
        server.wire.flush().await.unwrap();
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"pong");
    }
}

#[tokio::test]
async fn a_client_with_a_certificate_is_known_by_its_names() {
    let place = Place::new();
    let tls = keeper(place.files_for_clients(false)).tls();
    let (server, client) = meet(&tls, &place.client(Some("client"), b"h2")).await;
    client.unwrap();
    let known = server.unwrap().client.unwrap();
    assert_eq!(known.dns_names, [CLIENT_DNS_NAME]);
    assert_eq!(known.uri_names, [CLIENT_URI_NAME]);
    assert_eq!(known.email_names, [CLIENT_EMAIL_NAME]);
    assert_eq!(known.common_names, [CLIENT_COMMON_NAME]);
    assert!(known.until.is_some_and(|until| until > SystemClock.now()));
    let twice = ClientCertificate::new(&place.certificate("client"));
    assert_eq!(*known, twice);
    assert_ne!(known.sha256, ClientCertificate::new(&place.certificate("stranger")).sha256);
}

#[tokio::test]
async fn a_certificate_is_wanted_of_programs_alone_and_a_strangers_is_refused() {
    let place = Place::new();
    let (optional, required) =
        (keeper(place.files_for_clients(false)), keeper(place.files_for_clients(true)));
    let [nobody, stranger] = [None, Some("stranger")].map(|name| place.client(name, b"h2"));
    let (server, _client) = meet(&optional.tls(), &nobody).await;
    assert_eq!(server.unwrap().client, None);
    for (tls, client, failed) in [
        (optional.tls(), &stranger, 1),
        (required.tls(), &stranger, 1),
        (required.tls(), &nobody, 2),
    ] {
        let (server, _client) = meet(&tls, client).await;
        assert!(server.is_none());
        assert_eq!(tls.metrics.handshakes_failed.get(), failed);
    }
    for client in [&nobody, &stranger] {
        let (server, _client) = meet(&required.tls().for_people(), client).await;
        assert_eq!(server.unwrap().client, None);
    }
}

#[tokio::test]
async fn other_files_are_used_for_new_connections_and_bad_ones_change_nothing() {
    let place = Place::new();
    let mut keeper = keeper(place.files_for_clients(true));
    let tls = keeper.tls();
    let client = place.client(Some("client"), b"h2");
    let (server, stream) = meet(&tls, &client).await;
    let (mut server, mut stream) = (server.unwrap(), stream.unwrap());

    place.copy("other.pem", "server.pem");
    keeper.look();
    assert_eq!((keeper.metrics.reloads.get(), keeper.metrics.reload_failing.get()), (0, 1));
    assert!(keeper.trouble.as_ref().unwrap().contains("server.key"), "{:?}", keeper.trouble);
    meet(&tls, &client).await.1.unwrap();

    place.copy("other.key", "server.key");
    keeper.look();
    assert_eq!((keeper.metrics.reloads.get(), keeper.metrics.reload_failing.get()), (1, 0));
    assert_eq!(keeper.trouble, None);
    meet(&tls, &client).await.1.unwrap_err();

    // A connection of before goes on.
    stream.write_all(b"ping").await.unwrap();
    server.wire.read_exact(&mut [0; 4]).await.unwrap();
}

#[tokio::test]
async fn the_authority_of_clients_changes_too() {
    let place = Place::new();
    let mut keeper = keeper(place.files_for_clients(true));
    let stranger = place.client(Some("stranger"), b"h2");
    assert!(meet(&keeper.tls(), &stranger).await.0.is_none());
    // The client still trusts the server, whose certificate is of our authority.
    let ours = place.client(Some("client"), b"h2");
    place.copy("stranger-ca.pem", "ca.pem");
    keeper.look();
    assert!(meet(&keeper.tls(), &stranger).await.0.is_some());
    assert!(meet(&keeper.tls(), &ours).await.0.is_none());
}

#[test]
fn what_cannot_be_used_is_named() {
    let place = Place::new();
    let load = |files| Keeper::load(files, &mut Registry::default()).map(drop);
    let why = |files| format!("{:#}", load(files).unwrap_err());
    let absent = TlsFiles { key: place.file("absent.key"), ..place.files() };
    assert!(why(absent).contains("absent.key"));
    let no_certificate = TlsFiles { certificate: place.file("server.key"), ..place.files() };
    assert!(why(no_certificate).contains("there is no certificate in"));
    let no_key = TlsFiles { key: place.file("server.pem"), ..place.files() };
    assert!(why(no_key).contains("there is no private key in"));
    let mismatch = TlsFiles { key: place.file("other.key"), ..place.files() };
    assert!(why(mismatch).contains("does not go with the certificate"));

    let key = place.file("server.key");
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    set(&key, 0o644);
    let exposed = why(place.files());
    assert!(exposed.contains(&format!("`chmod 600 {}`", key.display())), "{exposed}");
    set(&key, 0o600);
    load(place.files()).unwrap();
}

#[tokio::test]
async fn who_speaks_plain_text_is_told_to_use_https() {
    let place = Place::new();
    let tls = keeper(place.files()).tls();
    let say = async |text: &[u8]| {
        let (socket, mut stream) = pair().await;
        let told = async {
            stream.write_all(text).await.unwrap();
            let mut told = Vec::new();
            stream.read_to_end(&mut told).await.unwrap();
            drop(stream);
            told
        };
        let (secured, told) = tokio::join!(secure(&tls, socket), told);
        assert!(secured.is_none());
        told
    };
    let told = String::from_utf8(say(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await).unwrap();
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert_eq!(body, "this port speaks TLS: use https://\n");

    let told = say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let (settings, farewell) = told.split_at(9);
    assert_eq!(settings, [0, 0, 0, 4, 0, 0, 0, 0, 0]);
    let (head, text) = farewell.split_at(17);
    let length = 8 + u8::try_from(text.len()).unwrap();
    assert_eq!(head, [0, 0, length, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12]);
    assert_eq!(text, b"this port speaks TLS: use https://");
}

#[tokio::test]
async fn who_only_looks_whether_the_port_is_open_is_no_failure() {
    let place = Place::new();
    let tls = keeper(place.files()).tls();
    let (socket, stream) = pair().await;
    drop(stream);
    assert!(secure(&tls, socket).await.is_none());
    assert_eq!(tls.metrics.handshakes_failed.get(), 0);
}
