//! What is taken of TLS when a client is made. What becomes of a connection is tested with the server.

use hitl_testing::certificates::Certificates;

use crate::config::{Server, Settings};
use crate::{Config, ErrorKind, Pem, Result};

const HTTPS: &str = "https://hitl.test";

fn resolve(config: Config, vars: &[(&str, &str)]) -> Result<Settings> {
    let find = |name: &str| vars.iter().find(|(key, _)| *key == name);
    config.resolve(|name| find(name).map(|(_, value)| (*value).to_owned()))
}

fn why(config: Config, vars: &[(&str, &str)]) -> String {
    let error = resolve(config, vars).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    error.message().to_owned()
}

fn has_tls(config: Config, vars: &[(&str, &str)]) -> bool {
    matches!(resolve(config, vars).unwrap().server, Server::At(_, Some(_)))
}

#[test]
fn certificates_come_from_files_bytes_or_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let made = Certificates::make(dir.path()).unwrap();
    let [ca, cert, key] = ["ca.pem", "client.pem", "client.key"].map(|name| made.file(name));
    let config = || Config::default().endpoint(HTTPS);
    let bytes = |file: &str| std::fs::read(file).unwrap();

    assert!(has_tls(config().ca(ca.as_str()).cert(cert.as_str()).key(key.as_str()), &[]));
    assert!(has_tls(config().ca(bytes(&ca)).cert(bytes(&cert)).key(bytes(&key)), &[]));
    let vars = [("HITL_CA", ca.as_str()), ("HITL_CERT", &cert), ("HITL_KEY", &key)];
    assert!(has_tls(config(), &vars));
    assert!(has_tls(config().ca("").cert(Vec::new()), &vars), "what is empty is not set");
    assert!(why(config(), &[("HITL_CA", "/absent"), vars[1], vars[2]]).contains("/absent"));
    assert!(has_tls(config().ca(ca.as_str()), &[("HITL_CA", "/absent")]), "code wins");
}

#[test]
fn what_is_in_the_environment_is_left_alone_without_tls_and_what_is_in_code_is_refused() {
    let vars = [("HITL_CA", "/absent")];
    assert!(!has_tls(Config::default().endpoint("localhost:4485"), &vars));
    let message = why(Config::default().endpoint("localhost:4485").ca("ca.pem"), &[]);
    assert!(message.contains("http://localhost:4485 is plain http: use https://"), "{message}");
}

#[test]
fn what_cannot_be_used_is_named_with_its_option() {
    let dir = tempfile::tempdir().unwrap();
    let made = Certificates::make(dir.path()).unwrap();
    let config = || Config::default().endpoint(HTTPS).ca(made.file("ca.pem"));
    let cases = [
        (config().ca("/absent"), "`ca` (HITL_CA) is not usable, \"/absent\""),
        (config().ca(made.file("client.key")), "there is no certificate in PEM"),
        (config().cert(made.file("client.pem")), "both `cert` and `key`"),
        (config().key(made.file("client.key")), "both `cert` and `key`"),
        (
            config().cert(made.file("client.pem")).key(made.file("client.pem")),
            "`key` (HITL_KEY) is not usable",
        ),
        (config().cert(made.file("client.pem")).key(made.file("server.key")), "do not go together"),
    ];
    for (config, expected) in cases {
        let message = why(config, &[]);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_key_is_never_shown() {
    let config = Config::default().key(b"-----BEGIN secret".to_vec());
    let shown = format!("{config:?} {:?}", Pem::from(b"-----BEGIN secret".as_slice()));
    assert!(!shown.contains("secret") && !shown.contains("45, 45"), "{shown}");
}
