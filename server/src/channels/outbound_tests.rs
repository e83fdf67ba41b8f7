//! Addresses that strangers choose, in every form, against receivers on this machine.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Gives the next of these for each question, and the last one for ever.
#[derive(Debug)]
struct Scripted(Mutex<VecDeque<Vec<IpAddr>>>);

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answer = |it: &&[&str]| it.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(answer).collect())))
    }
}

impl Lookup for Scripted {
    fn lookup(&self, _: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { Ok(next.unwrap_or_default()) })
    }
}

/// A server that replies the same to everybody, and notes what it was asked.
struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn on(address: &str, reply: &'static str) -> Self {
        let listener = TcpListener::bind(format!("{address}:0")).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::<Mutex<Vec<String>>>::default();
        let noted = got.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let noted = noted.clone();
                tokio::spawn(async move {
                    let mut bytes = vec![0; 4096];
                    let read = stream.read(&mut bytes).await.unwrap_or(0);
                    noted
                        .lock()
                        .unwrap()
                        .push(String::from_utf8_lossy(&bytes[..read]).into_owned());
                    drop(stream.write_all(reply.as_bytes()).await);
                });
            }
        });
        Self { port, got }
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn outbound(networks: &[&str], lookup: Arc<dyn Lookup>) -> Outbound {
    let networks: Vec<IpNet> = networks.iter().map(|it| it.parse().unwrap()).collect();
    Outbound::with(&networks, lookup).unwrap()
}

async fn post(outbound: &Outbound, url: &str) -> Result<Reply, Undelivered> {
    outbound.post(&Url::parse(url).unwrap(), HeaderMap::new(), b"{}".to_vec()).await
}

/// Forms in which one's own addresses are written to get past those who compare texts.
const OWN: [&str; 26] = [
    "https://127.0.0.1",
    "https://127.1",
    "https://127.0.1",
    "https://0x7f.1",
    "https://0x7f000001",
    "https://2130706433",
    "https://017700000001",
    "https://0177.0.0.1",
    "https://127.0.0.1.",
    "https://①②⑦.⓪.⓪.①",
    "https://127。0。0。1",
    "https://%31%32%37.0.0.1",
    "https://0",
    "https://0.0.0.0",
    "https://[::]",
    "https://[::1]",
    "https://[0:0:0:0:0:0:0:1]",
    "https://[::ffff:127.0.0.1]",
    "https://[::ffff:7f00:1]",
    "https://[::127.0.0.1]",
    "https://[64:ff9b::7f00:1]",
    "https://[2002:7f00:1::]",
    "https://169.254.169.254/latest/meta-data",
    "https://[fd00:ec2::254]",
    "https://10.0.0.1",
    "https://192.168.1.1:8443/x?y#z",
];

#[tokio::test]
async fn ones_own_addresses_are_refused_in_whatever_form() {
    let outbound = outbound(&[], Scripted::new(&[&["1.1.1.1"]]));
    for url in OWN {
        let refused = outbound.check(url).unwrap_err();
        assert!(refused.contains("must not lead there"), "{url}: {refused}");
        let sent = post(&outbound, url).await.unwrap_err();
        assert_eq!(sent.retry, Retry::Never, "{url}: {}", sent.reason);
    }
    for url in ["ftp://example.org", "file:///etc/passwd", "https://u@example.org", "x", "https://"]
    {
        outbound.check(url).unwrap_err();
    }
    outbound.check("https://example.org/hook").unwrap();
    outbound.check("http://1.1.1.1/hook").unwrap_err();
}

#[tokio::test]
async fn a_name_that_leads_to_ones_own_network_is_refused() {
    let receiver = Receiver::on("127.0.0.1", OK).await;
    let of_own = [&["127.0.0.1"][..], &["10.0.0.1", "::1"], &["::ffff:127.0.0.1"], &[]];
    for answer in of_own {
        let outbound = outbound(&[], Scripted::new(&[answer]));
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://hook.example:{}/", receiver.port);
            let refused = post(&outbound, &url).await.unwrap_err();
            assert!(refused.reason.contains("hook.example"), "{}", refused.reason);
        }
        assert!(outbound.addresses("hook.example", 25).await.is_err(), "{answer:?}");
    }
    assert_eq!(receiver.count(), 0);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_a_moment_later_is_judged_by_where_it_leads() {
    let (good, own) = (Receiver::on("127.0.0.2", OK).await, Receiver::on("127.0.0.1", OK).await);
    let lookup = Scripted::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let outbound = outbound(&["127.0.0.2/32"], lookup);
    let to = |port| format!("http://hook.example:{port}/");
    let reply = post(&outbound, &to(good.port)).await.unwrap();
    assert_eq!((reply.status, &reply.body[..]), (StatusCode::OK, &b"ok"[..]));
    let refused = post(&outbound, &to(own.port)).await.unwrap_err();
    assert!(refused.reason.contains("127.0.0.1"), "{}", refused.reason);
    assert_eq!((good.count(), own.count()), (1, 0));
    // Of several addresses only those that are good are asked.
    let lookup = Scripted::new(&[&["127.0.0.1", "127.0.0.2"]]);
    let outbound = self::outbound(&["127.0.0.2/32"], lookup);
    assert!(post(&outbound, &to(own.port)).await.is_err());
    post(&outbound, &to(good.port)).await.unwrap();
    assert_eq!((good.count(), own.count()), (2, 0));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let own = Receiver::on("127.0.0.1", OK).await;
    let location = format!(
        "HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{}/\r\ncontent-length: 0\r\n\r\n",
        own.port
    );
    let receiver = Receiver::on("127.0.0.1", location.leak()).await;
    let outbound = outbound(&["127.0.0.0/8"], Scripted::new(&[&["127.0.0.1"]]));
    let reply = post(&outbound, &format!("http://127.0.0.1:{}/", receiver.port)).await.unwrap();
    let refused = reply.taken(0).unwrap_err();
    assert!(
        refused.reason.contains("307") && refused.reason.contains("redirect"),
        "{}",
        refused.reason
    );
    assert_eq!((receiver.count(), own.count()), (1, 0));
}

#[tokio::test]
async fn an_answer_says_whether_and_when_to_try_again() {
    let outbound = outbound(&["127.0.0.0/8"], Scripted::new(&[&[]]));
    let replies = [
        ("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n", None),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", Some(Retry::Never)),
        ("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", Some(Retry::Later)),
        (
            "HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            Some(Retry::AfterMs(7_000)),
        ),
        (
            "HTTP/1.1 503 Wait\r\nretry-after: Thu, 01 Jan 1970 00:01:00 GMT\r\ncontent-length: 0\r\n\r\n",
            Some(Retry::AfterMs(60_000)),
        ),
    ];
    for (text, expected) in replies {
        let receiver = Receiver::on("127.0.0.1", text).await;
        let reply = post(&outbound, &format!("http://127.0.0.1:{}/", receiver.port)).await.unwrap();
        assert_eq!(reply.taken(0).err().map(|it| it.retry), expected, "{text}");
    }
    let closed = post(&outbound, "http://127.0.0.1:9/").await.unwrap_err();
    assert_eq!(closed.retry, Retry::Later);
}

#[tokio::test]
async fn of_a_long_reply_only_the_beginning_is_read() {
    let long = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(1024 * 1024));
    let receiver = Receiver::on("127.0.0.1", long.leak()).await;
    let outbound = outbound(&["127.0.0.0/8"], Scripted::new(&[&[]]));
    let reply = post(&outbound, &format!("http://127.0.0.1:{}/", receiver.port)).await.unwrap();
    assert_eq!(reply.body.len(), REPLY_BYTES_MAX);
}
