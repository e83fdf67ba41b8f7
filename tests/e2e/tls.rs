//! TLS on the port: every client gets through, whoever is not trusted does not, and each error says what to do.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use hitl::{Client, ErrorKind, v1};
use support::server::{ADMIN, Config, Server};
use support::tls::{CLIENT_DNS_NAME, CLIENT_EMAIL_NAME, CLIENT_URI_NAME, Certificates};
use support::tools;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::processes::{assert_refused, run};
use crate::shell::Shell;
use crate::site::{config, soon};

/// Longest that a connection may stay open without TLS: the time for it, and that until somebody looks.
const PATIENCE: Duration = Duration::from_secs(60);
/// The id of no event.
pub(crate) const NO_EVENT: &str = "00000000000000000000000000000001";

/// A server within TLS, and the certificates of its tests.
pub(crate) struct Secure {
    pub(crate) server: Server,
    pub(crate) certificates: Certificates,
    _dir: TempDir,
}

impl Secure {
    /// One with the certificate of this name, and what `more` adds.
    pub(crate) async fn start(
        name: &str,
        more: impl FnOnce(Config, &Certificates) -> Config,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let certificates = Certificates::make(dir.path()).expect("certificates");
        let config = more(config().tls(&certificates, name), &certificates);
        let server = Server::start(config).await.expect("the server starts");
        Self { server, certificates, _dir: dir }
    }

    pub(crate) fn url(&self) -> String {
        self.server.endpoint()
    }

    /// A client that trusts the authority of the tests, and does not try for long.
    pub(crate) fn config(&self) -> hitl::Config {
        quick(&self.url()).ca(self.certificates.file("ca.pem"))
    }

    /// What comes of `curl ARGS PATH`.
    pub(crate) async fn curl(&self, args: &[&str], path: &str) -> Output {
        let url = format!("{}{path}", self.url());
        let ca = self.certificates.file("ca.pem");
        run(Command::new("curl").args(["-sS", "--cacert", &ca]).args(args).arg(url)).await
    }
}

/// A client of the server at `url` that tries once.
fn quick(url: &str) -> hitl::Config {
    hitl::Config::default().endpoint(url).retry_for(Duration::ZERO)
}

/// Why a call of such a client fails, which must not be worth another attempt.
async fn why(config: hitl::Config) -> String {
    let client = Client::new(config).expect("the settings are good");
    let error = soon("the refusal", client.get(NO_EVENT)).await.expect_err("it is refused");
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, false), "{error}");
    error.message().to_owned()
}

/// Checks that a call of such a client arrives.
async fn arrives(config: hitl::Config) {
    let client = Client::new(config).expect("the settings are good");
    let error = soon("the reply", client.get(NO_EVENT)).await.expect_err("there is no such event");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

#[tokio::test]
async fn the_command_line_asks_and_answers_over_https() {
    let secure = Secure::start("server", |config, _| config).await;
    let shell = Shell::at(&secure.url());
    let ca = secure.certificates.file("ca.pem");
    let asking = shell.ask(&["Ship it?", "--type", "bool", "--ca", &ca]).await;
    assert!(asking.link.starts_with(&secure.url()), "{}", asking.link);
    shell.out(&["answer", asking.id(), "yes", "--ca", &ca]).await;
    let done = asking.done().await;
    assert_eq!((done.code, done.out.trim()), (Some(0), "true"), "{done:?}");
    let refused = shell.run(&["list"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("HITL_CA"), "{refused:?}");
}

#[tokio::test]
async fn curl_and_grpcurl_get_through_in_both_versions_of_http() {
    let secure = Secure::start("server", |config, _| config).await;
    for (flag, version) in [("--http1.1", "HTTP/1.1 200"), ("--http2", "HTTP/2 200")] {
        let output = secure.curl(&["-i", flag], "/healthz").await;
        let said = text(&output.stdout).to_lowercase();
        assert!(said.starts_with(&version.to_lowercase()), "{output:?}");
        assert!(said.contains("strict-transport-security: max-age=31536000"), "{said}");
        assert!(said.ends_with("alive\n"), "{said}");
    }
    let mut grpcurl = Command::new(tools::grpcurl());
    grpcurl.args(["-cacert", &secure.certificates.file("ca.pem")]);
    grpcurl.arg(secure.url().trim_start_matches("https://")).arg("list");
    let output = run(&mut grpcurl).await;
    assert!(text(&output.stdout).contains("hitl.v1.EventService"), "{output:?}");
}

#[tokio::test]
async fn without_tls_no_browser_is_told_to_use_nothing_else() {
    let site = crate::site::Site::shared().await;
    let reply = site.fetch(&format!("{}/healthz", site.url)).await;
    assert!(!reply.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_client_says_what_is_wrong_with_the_certificate_of_the_server() {
    let secure = Secure::start("server", |config, _| config).await;
    arrives(secure.config()).await;
    let url = secure.url();
    let stranger = quick(&url).ca(secure.certificates.file("stranger-ca.pem"));
    for unknown in [stranger, quick(&url)] {
        let message = why(unknown).await;
        assert!(message.contains("`ca`") && message.contains("HITL_CA"), "{message}");
    }
    let (other, expired) = tokio::join!(
        Secure::start("other", |config, _| config),
        Secure::start("expired", |config, _| config)
    );
    let message = why(other.config()).await;
    assert!(message.contains("not for the name 127.0.0.1"), "{message}");
    assert!(message.contains("other.test"), "{message}");
    let message = why(expired.config()).await;
    assert!(message.contains("has expired"), "{message}");
}

#[tokio::test]
async fn a_client_says_that_one_end_speaks_tls_and_the_other_does_not() {
    let secure = Secure::start("server", |config, _| config).await;
    let plain = secure.url().replace("https://", "http://");
    let message = why(quick(&plain)).await;
    assert!(message.contains("speaks TLS") && message.contains("use https://"), "{message}");

    let site = crate::site::Site::shared().await;
    let secured = site.url.replace("http://", "https://");
    let message = why(quick(&secured).ca(secure.certificates.file("ca.pem"))).await;
    assert!(message.contains("does not speak TLS: use http://"), "{message}");
}

#[tokio::test]
async fn plain_http_is_told_to_use_https() {
    let secure = Secure::start("server", |config, _| config).await;
    let url = format!("{}/healthz", secure.url().replace("https://", "http://"));
    let output = run(Command::new("curl").args(["-sS", "-i", &url])).await;
    let said = text(&output.stdout);
    assert!(said.starts_with("HTTP/1.1 400"), "{output:?}");
    assert!(said.ends_with("this port speaks TLS: use https://\n"), "{said}");
}

/// A server that asks clients for certificates.
async fn asking(is_required: bool) -> Secure {
    Secure::start("server", |config, certificates| {
        let config = config.arg("--tls-client-ca").arg(certificates.file("ca.pem"));
        if is_required { config.arg("--tls-require-client-cert") } else { config }
    })
    .await
}

/// The same client with a certificate of this name.
fn with(secure: &Secure, name: &str) -> hitl::Config {
    let [cert, key] =
        ["pem", "key"].map(|ending| secure.certificates.file(&format!("{name}.{ending}")));
    secure.config().cert(cert).key(key)
}

#[tokio::test]
async fn a_server_that_wants_certificates_of_clients_refuses_who_has_none_or_a_strangers() {
    let secure = asking(true).await;
    arrives(with(&secure, "client")).await;
    let message = why(secure.config()).await;
    assert!(message.contains("wants a certificate of the client"), "{message}");
    assert!(message.contains("HITL_CERT") && message.contains("HITL_KEY"), "{message}");
    let message = why(with(&secure, "stranger")).await;
    assert!(message.contains("refused the certificate of this client"), "{message}");

    let [cert, key] = ["client.pem", "client.key"].map(|name| secure.certificates.file(name));
    let allowed = secure.curl(&["--cert", &cert, "--key", &key], "/healthz").await;
    assert_eq!(text(&allowed.stdout), "alive\n", "{allowed:?}");
    let refused = secure.curl(&[], "/healthz").await;
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_required_may_be_missing_but_not_a_strangers() {
    let secure = asking(false).await;
    arrives(secure.config()).await;
    arrives(with(&secure, "client")).await;
    let message = why(with(&secure, "stranger")).await;
    assert!(message.contains("refused the certificate of this client"), "{message}");
}

/// A server that asks for credentials, and takes certificates with these rules for some.
async fn trusting(rules: &[&str], admin: &Path) -> Secure {
    Secure::start("server", |config, certificates| {
        let config = config.with_admin(admin).arg("--tls-client-ca");
        let config = config.arg(certificates.file("ca.pem"));
        rules.iter().fold(config, |config, rule| config.arg("--tls-client-role").arg(*rule))
    })
    .await
}

/// What a call of such a client is refused with; nothing if it is not.
async fn refusal<T>(call: impl Future<Output = hitl::Result<T>>) -> Option<ErrorKind> {
    soon("the reply", call).await.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_certificate_with_a_rule_may_what_the_rule_says_where_it_says_it_and_nothing_else() {
    let admin = tempfile::tempdir().expect("a directory");
    for name in [CLIENT_URI_NAME, CLIENT_EMAIL_NAME, CLIENT_DNS_NAME, "cn:hitl test client"] {
        let secure = trusting(&[&format!("{name}=requester@team-a")], admin.path()).await;
        let client = |namespace: &str| {
            let config = with(&secure, "client").namespace(namespace);
            Client::new(config).expect("the settings are good")
        };
        let known = soon("the reply", client("team-a").who_am_i()).await.expect("it is known");
        assert_eq!(known.known_by(), v1::CredentialKind::ClientCertificate);
        assert_eq!(known.principal, name.trim_start_matches("cn:"));
        assert_eq!(known.namespaces, ["team-a"]);
        let ask = |client: Client| async move {
            let question = v1::CreateEventRequest {
                namespace: client.namespace().to_owned(),
                ..crate::site::request(crate::kinds::int())
            };
            client.create(question).await
        };
        let asked = soon("the reply", ask(client("team-a"))).await.expect("it may ask there");
        let event = asked.event.expect("the event");
        let by = event.created_by.expect("it is known who asked");
        assert_eq!(by.known_by(), v1::CredentialKind::ClientCertificate);
        assert_eq!(refusal(ask(client("default"))).await, Some(ErrorKind::Denied), "{name}");
        let list = v1::ListTokensRequest::default();
        assert_eq!(refusal(client("team-a").list_tokens(list)).await, Some(ErrorKind::Denied));
    }
}

#[tokio::test]
async fn a_token_wins_over_a_certificate_and_a_bad_one_is_not_made_up_for() {
    let admin = tempfile::tempdir().expect("a directory");
    let secure = trusting(&[&format!("{CLIENT_DNS_NAME}=requester")], admin.path()).await;
    let who = |config: hitl::Config| async move {
        Client::new(config).expect("the settings are good").who_am_i().await
    };
    let by_token = soon("the reply", who(with(&secure, "client").token(ADMIN))).await;
    let by_token = by_token.expect("the token is good");
    assert_eq!((by_token.known_by(), &*by_token.principal), (v1::CredentialKind::Token, "admin"));
    let bad = who(with(&secure, "client").token("hitl_not_good"));
    assert_eq!(refusal(bad).await, Some(ErrorKind::Unauthenticated));
    let [cert, key] = ["client.pem", "client.key"].map(|name| secure.certificates.file(name));
    let shown = ["--cert", &cert, "--key", &key, "-o", "/dev/null", "-w", "%{http_code}"];
    let status = async |more: &[&str]| {
        let args: Vec<_> = shown.iter().chain(more).copied().collect();
        text(&secure.curl(&args, "/v1/events").await.stdout)
    };
    assert_eq!(status(&[]).await, "200", "JSON knows it too");
    assert_eq!(status(&["-H", "authorization: Bearer hitl_not_good"]).await, "401");
    assert_eq!(status(&["-H", "origin: https://evil.example"]).await, "403", "no page uses it");
}

#[tokio::test]
async fn a_certificate_without_a_rule_gets_a_connection_and_nothing_else() {
    let admin = tempfile::tempdir().expect("a directory");
    let secure = trusting(&["spiffe://hitl.test/other=admin"], admin.path()).await;
    for config in [secure.config(), with(&secure, "client")] {
        let client = Client::new(config).expect("the settings are good");
        assert_eq!(refusal(client.who_am_i()).await, Some(ErrorKind::Unauthenticated));
    }
}

#[tokio::test]
async fn old_versions_of_tls_are_refused() {
    let secure = Secure::start("server", |config, _| config).await;
    let address = secure.url().trim_start_matches("https://").to_owned();
    let ca = secure.certificates.file("ca.pem");
    let meet = async |version: &str| {
        let mut command = Command::new("openssl");
        // The second lets openssl itself offer the old versions.
        command.args(["s_client", "-connect", &address, "-CAfile", &ca, version]);
        command.args(["-cipher", "ALL@SECLEVEL=0", "-verify_return_error"]);
        run(&mut command).await
    };
    for version in ["-tls1_2", "-tls1_3"] {
        let output = meet(version).await;
        assert!(output.status.success(), "{version}: {output:?}");
        assert!(text(&output.stdout).contains("Verification: OK"), "{version}: {output:?}");
    }
    for version in ["-tls1", "-tls1_1"] {
        let output = meet(version).await;
        assert!(!output.status.success(), "{version}: {output:?}");
        assert!(text(&output.stderr).contains("alert handshake failure"), "{version}: {output:?}");
    }
}

#[tokio::test]
async fn sockets_that_never_agree_on_tls_keep_nobody_out_and_are_closed() {
    let secure =
        Secure::start("server", |config, _| config.arg("--max-connections").arg("100")).await;
    let address: SocketAddr =
        secure.url().trim_start_matches("https://").parse().expect("an address");
    let open = async |number: usize| {
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        // Some say nothing, and some begin and go no further. The server may have closed it by now.
        let start: &[u8] = if number.is_multiple_of(2) { &[] } else { b"\x16\x03\x01\x02\x00\x01" };
        let _ = stream.write_all(start).await;
        stream
    };
    // Few at a time: what the system drops before the server has seen it stays open for whoever says nothing.
    let held: Vec<_> = stream::iter(0..500).map(open).buffered(20).collect().await;
    for _ in 0..5 {
        let output =
            soon("a reply", secure.curl(&["--retry", "5", "--retry-all-errors"], "/healthz")).await;
        assert_eq!(text(&output.stdout), "alive\n", "{output:?}");
    }
    let closed = join_all(held.into_iter().map(async |mut stream| {
        let mut rest = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut rest)).await.is_ok()
    }));
    assert!(closed.await.into_iter().all(|is_closed| is_closed), "one is open after {PATIENCE:?}");
}

#[tokio::test]
async fn a_server_does_not_start_with_files_of_tls_that_it_cannot_use() {
    let dir = tempfile::tempdir().expect("a directory");
    let certificates = Certificates::make(dir.path()).expect("certificates");
    let [cert, key, other, ca] =
        ["server.pem", "server.key", "other.key", "ca.pem"].map(|name| certificates.file(name));
    let cases: [(&[&str], &str); 6] = [
        (&["--tls-cert", &cert, "--tls-key", "/absent"], "/absent"),
        (&["--tls-cert", &cert, "--tls-key", &other], "does not go with the certificate"),
        (&["--tls-cert", &key, "--tls-key", &key], "no certificate in"),
        (&["--tls-cert", &cert], "--tls-key"),
        (&["--tls-client-ca", &ca], "--tls-cert"),
        (&["--tls-cert", &cert, "--tls-key", &key, "--tls-require-client-cert"], "--tls-client-ca"),
    ];
    for (args, part) in cases {
        let mut command = Command::new(tools::hitl());
        command.args(["serve", "--listen", "127.0.0.1:0", "--store", "memory://"]).args(args);
        assert_refused(&run(command.env("HITL_DATA_DIR", dir.path())).await, &[part]);
    }
}

#[tokio::test]
async fn the_local_server_is_plain_whatever_the_environment_has_for_servers() {
    let shell = Shell::with("HITL_TLS_CERT", "/absent/server.pem");
    let found = shell.out(&["up"]).await;
    assert!(found.contains("\"endpoint\":\"http://127.0.0.1:"), "{found}");
}
