//! The SMTP server of the tests, and the mails that it takes.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use support::tls::Certificates;
use support::tools;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

pub(crate) const USER: &str = "hitl";
pub(crate) const PASSWORD: &str = "a password: of two & no more";
/// How long a mail may take to arrive.
const LIMIT: Duration = Duration::from_secs(20);

/// A mail as it arrived.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
    pub(crate) tls: bool,
    pub(crate) user: Option<String>,
}

/// The server, which lasts as long as this value.
pub(crate) struct Smtp {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    arrived: watch::Receiver<usize>,
    _child: Child,
}

impl Smtp {
    pub(crate) async fn start(certificates: &Certificates) -> Self {
        let port = support::free_port().expect("a port");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/notices/smtp.py");
        let mut child = Command::new(tools::smtp_python())
            .args([script, &port.to_string()])
            .args([certificates.file("server.pem"), certificates.file("server.key")])
            .args([USER, PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let ready = tokio::time::timeout(LIMIT, lines.next_line()).await;
        assert_eq!(ready.expect("it starts in time").expect("text").as_deref(), Some("ready"));
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let (sender, arrived) = watch::channel(0);
        let taken = mails.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mail = serde_json::from_str(&line).expect("a mail");
                taken.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
                sender.send_modify(|count| *count += 1);
            }
        });
        Self { port, mails, arrived, _child: child }
    }

    /// The mails so far.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first mail of which `is_it` holds, as soon as it has arrived.
    pub(crate) async fn mail(&self, is_it: impl Fn(&Mail) -> bool) -> Mail {
        let mut arrived = self.arrived.clone();
        let wait = async {
            loop {
                if let Some(mail) = self.mails().into_iter().find(&is_it) {
                    return mail;
                }
                arrived.changed().await.expect("the server runs");
            }
        };
        let found = tokio::time::timeout(LIMIT, wait).await;
        found.unwrap_or_else(|_| panic!("no such mail; there are {:#?}", self.mails()))
    }
}

impl Mail {
    /// The value of a header, without its line breaks; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let start = format!("{name}: ");
        head.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default().to_owned()
    }

    /// The text of the mail, without the encoding that keeps its lines short.
    pub(crate) fn text(&self) -> String {
        self.data.replace("=\r\n", "").replace("=3D", "=")
    }

    /// The link in it.
    pub(crate) fn link(&self) -> String {
        let text = self.text();
        let link = text.split_once("Answer here:\r\n<");
        let link = link.and_then(|(_, rest)| rest.split_once('>'));
        link.map(|(link, _)| link.to_owned()).unwrap_or_else(|| panic!("no link in {text}"))
    }
}
