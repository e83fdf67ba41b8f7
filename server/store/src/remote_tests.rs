//! Whose clock is listened to.

use std::net::SocketAddr;

use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStoreExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::clock::ManualClock;

const NOW_MS: i64 = 1_795_348_837_000;
const HOUR_MS: i64 = 3_600_000;

/// A server that has no objects, but hands out credentials, and whose clock is ahead by so many milliseconds, if it
/// shows it.
async fn server(ahead_ms: Option<i64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                if connection.read_buf(&mut request).await.is_err() {
                    break;
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let (status, body) = reply(request.split(' ').nth(1).unwrap_or_default());
            let length = body.len();
            let date = ahead_ms.map_or_else(String::new, |ahead_ms| {
                let date = chrono::DateTime::from_timestamp_millis(NOW_MS + ahead_ms).unwrap();
                date.format("date: %a, %d %b %Y %H:%M:%S GMT\r\n").to_string()
            });
            let head =
                format!("HTTP/1.1 {status}\r\n{date}connection: close\r\ncontent-length: {length}");
            let _ = connection.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await;
        }
    });
    address
}

fn reply(path: &str) -> (&'static str, &'static str) {
    if path.ends_with("/token") {
        ("200 OK", "token")
    } else if path.ends_with("/security-credentials/") {
        ("200 OK", "role")
    } else if path.ends_with("/role") {
        let credentials = r#"{"AccessKeyId": "id", "SecretAccessKey": "key", "Token": "token",
            "Expiration": "2099-01-01T00:00:00Z"}"#;
        ("200 OK", credentials)
    } else if path.starts_with("/identity") {
        ("200 OK", r#"{"access_token": "token", "expires_on": "4070908800"}"#)
    } else {
        ("404 Not Found", "")
    }
}

/// How far the clock seems off once each cloud's client has asked `store` for something, with credentials from
/// `agent`.
async fn seen(store: SocketAddr, agent: SocketAddr) -> [Option<i64>; 2] {
    drop(rustls::crypto::ring::default_provider().install_default());
    let clock = Arc::new(ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap()));
    let options = ClientOptions::new().with_allow_http(true);
    let skews = [(); 2].map(|()| Arc::<Skew>::default());
    let [amazon, azure] = &skews;
    let s3 = AmazonS3Builder::new()
        .with_bucket_name("bucket")
        .with_endpoint(format!("http://{store}"))
        .with_metadata_endpoint(format!("http://{agent}"))
        .with_client_options(options.clone())
        .with_http_connector(Observant::new(clock.clone(), amazon.clone()));
    let blobs = MicrosoftAzureBuilder::new()
        .with_account("account")
        .with_container_name("container")
        .with_endpoint(format!("http://{store}"))
        .with_msi_endpoint(format!("http://{agent}/identity"))
        .with_client_options(options)
        .with_http_connector(Observant::new(clock, azure.clone()));
    for store in [&s3.build().unwrap() as &dyn ObjectStore, &blobs.build().unwrap()] {
        let asked = store.get(&Path::from("nothing")).await;
        assert!(matches!(asked, Err(StoreError::NotFound { .. })), "{asked:?}");
    }
    skews.map(|skew| skew.off_ms())
}

#[tokio::test]
async fn only_the_stores_own_clock_counts() {
    let (right, wrong) = (server(Some(0)).await, server(Some(HOUR_MS)).await);
    assert!(seen(wrong, right).await.iter().all(|off| off.is_some_and(|ms| ms < 0)));
    assert_eq!(seen(server(None).await, wrong).await, [None; 2]);
}

#[test]
fn the_date_of_a_reply_is_read() {
    let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    assert_eq!(date.to_string(), "1994-11-06T08:49:37.000Z");
    assert_eq!(http_date("yesterday"), None);
}
