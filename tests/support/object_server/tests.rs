//! The server as the service's own clients find it while nothing goes wrong.

use std::collections::BTreeSet;
use std::sync::{Arc, Once};
use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutResult, RetryConfig,
    UpdateVersion,
};

use super::*;

pub(super) const BOTH: [Dialect; 2] = [Dialect::S3, Dialect::Google];
const RACERS: usize = 64;

/// A server, a door to it, and a client that has come in by it and never asks twice.
pub(super) struct Fixture {
    pub(super) server: ObjectServer,
    pub(super) door: Door,
    pub(super) client: Arc<dyn ObjectStore>,
}

impl Fixture {
    pub(super) fn new(dialect: Dialect) -> Self {
        let server = ObjectServer::start(dialect).unwrap();
        let door = server.door().unwrap();
        let client = client(&server, &door);
        Self { server, door, client }
    }
}

pub(super) fn client(server: &ObjectServer, door: &Door) -> Arc<dyn ObjectStore> {
    static TLS: Once = Once::new();
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    let options = ClientOptions::new().with_allow_http(true).with_timeout(Duration::from_secs(2));
    let settings = server.env_for(door).into_iter();
    let settings = settings.map(|(name, value)| (name.to_lowercase(), value));
    match server.shared.dialect {
        Dialect::S3 => {
            let builder = AmazonS3Builder::new().with_client_options(options).with_retry(retry);
            let set = |builder: AmazonS3Builder, (name, value): (String, String)| {
                builder.with_config(name.parse::<AmazonS3ConfigKey>().unwrap(), value)
            };
            let builder = settings.fold(builder, set).with_bucket_name(BUCKET);
            Arc::new(builder.build().unwrap())
        }
        Dialect::Google => {
            let builder = GoogleCloudStorageBuilder::new().with_client_options(options);
            let set = |builder: GoogleCloudStorageBuilder, (name, value): (String, String)| {
                builder.with_config(name.parse::<GoogleConfigKey>().unwrap(), value)
            };
            let builder = settings.fold(builder, set).with_bucket_name(BUCKET).with_retry(retry);
            Arc::new(builder.build().unwrap())
        }
    }
}

pub(super) async fn create(
    client: &Arc<dyn ObjectStore>,
    key: &str,
    bytes: &'static str,
) -> Result<PutResult, Error> {
    client.put_opts(&key.into(), bytes.into(), PutMode::Create.into()).await
}

async fn race(clients: &[Arc<dyn ObjectStore>], key: &str) -> Vec<usize> {
    let racers = (0..RACERS).map(|number| async move {
        let client = &clients[number % clients.len()];
        let body = number.to_string().into();
        match client.put_opts(&key.into(), body, PutMode::Create.into()).await {
            Ok(_) => Some(number),
            Err(Error::AlreadyExists { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    });
    join_all(racers).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn of_those_who_create_the_same_object_one_wins() {
    for dialect in BOTH {
        let Fixture { server, door, client: first } = Fixture::new(dialect);
        let second_door = server.door().unwrap();
        let clients = [first, client(&server, &door), client(&server, &second_door)];
        for round in 0..10 {
            let key = format!("a/{round}");
            let winners = race(&clients, &key).await;
            assert_eq!(winners.len(), 1);
            assert_eq!(server.object(&key).unwrap(), winners[0].to_string());
        }
        assert_eq!(server.requests().puts, 10 * RACERS as u64);
    }
}

#[tokio::test]
async fn a_racy_store_lets_two_win_and_a_deaf_one_everybody() {
    for dialect in BOTH {
        let Fixture { server, client, .. } = Fixture::new(dialect);
        server.set_racy(true);
        assert!(race(std::slice::from_ref(&client), "a").await.len() > 1);
        assert!(create(&client, "a", "later").await.is_err());
        server.set_racy(false);
        server.set_ignores_conditions(true);
        assert_eq!(race(&[client], "b").await.len(), RACERS);
    }
}

#[tokio::test]
async fn what_was_put_is_got_whole_and_in_part() {
    for dialect in BOTH {
        let Fixture { server, client, .. } = Fixture::new(dialect);
        let odd = Path::from("a b/ü%2F+&?#<>\"'~");
        for path in ["k".into(), odd] {
            client.put(&path, "0123456789".into()).await.unwrap();
            let got = client.get(&path).await.unwrap();
            assert_eq!(got.meta.size, 10);
            assert_eq!(got.bytes().await.unwrap(), "0123456789");
            assert_eq!(client.get_range(&path, 2..5).await.unwrap(), "234");
            assert_eq!(client.get_range(&path, 8..99).await.unwrap(), "89");
            assert!(client.get_range(&path, 10..11).await.is_err());
            let meta = client.head(&path).await.unwrap();
            assert_eq!((meta.size, meta.location.clone()), (10, path.clone()));
            let age = server.shared.now_ms() - meta.last_modified.timestamp_millis();
            assert!((0..60_000).contains(&age), "{age}");
            let listed: Vec<_> = client.list(None).try_collect().await.unwrap();
            assert!(listed.iter().any(|meta| meta.location == path), "{listed:?}");
        }
        for absent in [client.get(&"no".into()).await.err(), client.head(&"no".into()).await.err()]
        {
            assert!(matches!(absent, Some(Error::NotFound { .. })), "{absent:?}");
        }
    }
}

#[tokio::test]
async fn an_update_needs_what_was_seen_last() {
    for dialect in BOTH {
        let Fixture { server, client, .. } = Fixture::new(dialect);
        let update = async |version: UpdateVersion| {
            let mode = PutMode::Update(version);
            client.put_opts(&"k".into(), "new".into(), mode.into()).await
        };
        let first: UpdateVersion = create(&client, "k", "old").await.unwrap().into();
        update(first.clone()).await.unwrap();
        assert!(matches!(update(first.clone()).await, Err(Error::Precondition { .. })));
        client.delete(&"k".into()).await.unwrap();
        assert!(matches!(update(first).await, Err(Error::Precondition { .. })));
        assert_eq!(server.keys(""), [""; 0]);
    }
}

#[tokio::test]
async fn thousands_of_objects_are_listed_in_pages() {
    for dialect in BOTH {
        let Fixture { server, client, .. } = Fixture::new(dialect);
        let keys: Vec<String> = (0..5_000).map(|n| format!("p/{:02}/{n:04}", n % 50)).collect();
        for key in keys.iter().map(String::as_str).chain(["o", "p", "p!", "q/1"]) {
            lock(&server.shared.objects).put(key, Bytes::new(), 0);
        }
        let of = async |listing: stream::BoxStream<'_, Result<object_store::ObjectMeta, Error>>| {
            let keys = listing.map_ok(|meta| meta.location.to_string());
            keys.try_collect::<Vec<_>>().await.unwrap()
        };
        let all = of(client.list(Some(&"p".into()))).await;
        assert!(all.is_sorted());
        assert_eq!(all.len(), 5_000);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), keys.into_iter().collect());
        assert_eq!(server.requests().lists, 5);

        let (offset, prefix) = (Path::from("p/48/4948"), Path::from("p"));
        let rest = of(client.list_with_offset(Some(&prefix), &offset)).await;
        assert_eq!(rest.len(), 101);
        assert_eq!(rest[0], "p/48/4998");

        let minutes = client.list_with_delimiter(Some(&"p".into())).await.unwrap();
        assert_eq!((minutes.common_prefixes.len(), minutes.objects.len()), (50, 0));
        let top = client.list_with_delimiter(None).await.unwrap();
        assert_eq!(top.common_prefixes, ["p".into(), "q".into()]);
        assert_eq!(top.objects.len(), 3);
        server.reset_requests();
        assert_eq!(server.requests(), Requests::default());
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone() {
    for dialect in BOTH {
        let Fixture { server, client, .. } = Fixture::new(dialect);
        let paths: Vec<Path> = (0..30).map(|n| Path::from(format!("d/{n}&<"))).collect();
        for path in &paths {
            client.put(path, "x".into()).await.unwrap();
        }
        let (one, rest) = paths.split_first().unwrap();
        client.delete(one).await.unwrap();
        let again = client.delete(one).await;
        assert_eq!(again.is_ok(), dialect == Dialect::S3, "{again:?}");
        assert_eq!(server.keys("d/").len(), 29);
        let deleted = client.delete_stream(stream::iter(rest.to_vec()).map(Ok).boxed());
        assert_eq!(deleted.try_collect::<Vec<_>>().await.unwrap(), rest);
        assert_eq!(server.keys(""), [""; 0]);
    }
}

#[tokio::test]
async fn what_is_not_of_the_dialect_is_refused() {
    let Fixture { server, door, client } = Fixture::new(Dialect::S3);
    client.put(&"k".into(), "x".into()).await.unwrap();
    server.reset_requests();
    let http = reqwest::Client::new();
    let ask = async |path: &str, signed: bool| {
        let mut request = http.get(format!("{}{path}", door.endpoint()));
        if signed {
            let credential = format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/x");
            let headers = [("x-amz-date", "d"), ("x-amz-content-sha256", "s")];
            request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
            request = request.header("authorization", credential);
        }
        let reply = request.send().await.unwrap();
        assert!(reply.headers().contains_key("date"));
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    assert_eq!(ask("/hitl-test/k", true).await, (200, "x".to_owned()));
    let refusals = [
        ("/hitl-test/k", false, 403, "AccessDenied"),
        ("/other/k", true, 404, "NoSuchBucket"),
        ("/hitl-test/no", true, 404, "NoSuchKey"),
        ("/hitl-test/k?acl", true, 400, "InvalidArgument"),
        ("/hitl-test", true, 501, "NotImplemented"),
        ("/hitl-test?list-type=2&marker=x", true, 400, "InvalidArgument"),
        ("/hitl-test?list-type=2&max-keys=x", true, 400, "InvalidArgument"),
        ("/hitl-test?list-type=2&continuation-token=x", true, 400, "InvalidArgument"),
    ];
    for (path, signed, status, code) in refusals {
        let (got, body) = ask(path, signed).await;
        assert_eq!(got, status, "{path}");
        assert!(body.contains(&format!("<Error><Code>{code}</Code>")), "{path}: {body}");
    }
    // What is refused for its form is not counted.
    assert_eq!(server.requests(), Requests { gets: 2, misses: 1, ..Requests::default() });
}

#[tokio::test]
async fn the_clock_of_the_server_can_be_wrong() {
    let Fixture { server, client, .. } = Fixture::new(Dialect::S3);
    server.set_date_offset_ms(-3_600_000);
    client.put(&"k".into(), "x".into()).await.unwrap();
    let modified = client.head(&"k".into()).await.unwrap().last_modified;
    server.set_date_offset_ms(0);
    let behind_ms = server.shared.now_ms() - modified.timestamp_millis();
    assert!((3_600_000..3_660_000).contains(&behind_ms), "{behind_ms}");
}
