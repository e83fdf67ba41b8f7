//! Certificates that change while the server runs.

use std::path::Path;
use std::time::Duration;

use hitl::{Client, ErrorKind};
use hitl_proto::v1::Event;
use hitl_proto::v1::value::Kind as Value;
use support::tls::Certificates;

use crate::kinds;
use crate::site::{request, soon, typed, value_of};
use crate::tls::{NO_EVENT, Secure};

/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Gives the server the files of another authority.
fn replace(secure: &Secure, others: &Certificates) {
    for name in ["server.pem", "server.key"] {
        let text = others.pem(name).expect("it was made");
        std::fs::write(secure.certificates.file(name), text).expect("it can be written");
    }
}

/// Another authority, and what it has signed.
fn others(dir: &Path) -> Certificates {
    Certificates::make(&dir.join("others")).expect("certificates")
}

/// Whether a new connection is made by who trusts this authority.
async fn trusts(secure: &Secure, ca: String) -> bool {
    let client = Client::new(secure.config().ca(ca)).expect("the settings are good");
    client.get(NO_EVENT).await.expect_err("there is no such event").kind() == ErrorKind::NotFound
}

/// Returns once new connections are made by who trusts the others, and by nobody who does not.
async fn until_taken(secure: &Secure, others: &Certificates) {
    let taken = async {
        while !trusts(secure, others.file("ca.pem")).await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    soon("the other certificate", taken).await;
    assert!(!trusts(secure, secure.certificates.file("ca.pem")).await);
}

async fn metrics(secure: &Secure) -> String {
    let output = secure.curl(&[], "/metrics").await;
    String::from_utf8(output.stdout).expect("metrics are text")
}

#[tokio::test]
async fn a_wait_goes_on_while_the_certificate_changes() {
    let secure = Secure::start("server", |config, _| config).await;
    let dir = tempfile::tempdir().expect("a directory");
    let others = others(dir.path());
    // It trusts the authority of before alone, so its connection cannot be another one in the end.
    let client = Client::new(secure.config()).expect("the settings are good");
    let created = client.create(request(kinds::int())).await.expect("it is created");
    let event: Event = created.event.expect("a create returns the event");
    let waiting = tokio::spawn({
        let (client, id) = (client.clone(), event.id.clone());
        async move { client.wait_event(&id).await }
    });
    let held = async {
        while !metrics(&secure).await.contains("\nhitl_waits 1\n") {
            tokio::time::sleep(PAUSE).await;
        }
    };
    soon("the wait", held).await;

    replace(&secure, &others);
    secure.server.hang_up().expect("it runs");
    until_taken(&secure, &others).await;

    let answering = Client::new(secure.config().ca(others.file("ca.pem"))).expect("settings");
    answering.answer(&event.id, typed(&Value::Int(7)), "").await.expect("it is answered");
    let ended = soon("the answer", waiting).await.expect("no panic").expect("the wait goes on");
    assert_eq!(value_of(&ended), Some(&Value::Int(7)));
}

#[tokio::test]
async fn files_that_change_are_read_without_being_told() {
    let secure = Secure::start("server", |config, _| config).await;
    let dir = tempfile::tempdir().expect("a directory");
    let others = others(dir.path());
    replace(&secure, &others);
    until_taken(&secure, &others).await;
}

#[tokio::test]
async fn files_that_cannot_be_used_change_nothing_and_are_told_of() {
    let secure = Secure::start("server", |config, _| config).await;
    assert!(metrics(&secure).await.contains("\nhitl_tls_reload_failing 0\n"));
    let file = secure.certificates.file("server.pem");
    let good = std::fs::read(&file).expect("it is there");
    std::fs::write(&file, "no certificate").expect("it can be written");
    secure.server.hang_up().expect("it runs");
    let told = async {
        while !metrics(&secure).await.contains("\nhitl_tls_reload_failing 1\n") {
            tokio::time::sleep(PAUSE).await;
        }
    };
    soon("the metric", told).await;
    let log = secure.server.log();
    assert!(log.contains("there is no certificate in") && log.contains("server.pem"), "{log}");
    assert!(trusts(&secure, secure.certificates.file("ca.pem")).await, "it serves");

    std::fs::write(&file, good).expect("it can be written");
    secure.server.hang_up().expect("it runs");
    let mended = async {
        while !metrics(&secure).await.contains("\nhitl_tls_reload_failing 0\n") {
            tokio::time::sleep(PAUSE).await;
        }
    };
    soon("the metric", mended).await;
}
