//! Stores that speak S3.

use std::process::Command;

use anyhow::{Context, Result};
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;

use crate::config::free_port;
use crate::http;
use crate::stores::{Bucket, Leash};
use crate::tools;

const BUCKET: &str = "hitl";
/// Both parts of the only credentials that s3rver knows; the others take any.
const KEY: &str = "S3RVER";

/// A store that lets a second writer create what another has created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgetful {
    /// The npm package s3rver.
    S3rver,
    /// The npm package fauxqs.
    Fauxqs,
}

/// A bucket of ministack.
///
/// # Errors
/// If it does not start.
pub(crate) async fn ministack() -> Result<Bucket> {
    let port = free_port()?;
    let mut command = Command::new(tools::ministack());
    command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
    bucket(port, Leash::start(&command, &[])?, Make::ByRequest).await
}

/// A bucket of SeaweedFS.
///
/// # Errors
/// If it does not start.
pub(crate) async fn seaweedfs() -> Result<Bucket> {
    const PORTS: [&str; 9] = [
        "s3.port.grpc",
        "filer.port",
        "filer.port.grpc",
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "admin.port",
        "admin.port.grpc",
    ];
    let port = free_port()?;
    let mut command = Command::new(tools::weed());
    command.args(["mini", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]);
    command.args([&format!("-bucket={BUCKET}"), &format!("-s3.port={port}")]);
    command.args(["-webdav=false", "-admin.ui=false", "-master.telemetry=false"]);
    command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
    // It puts sockets there, whatever the environment says.
    let mut sockets = vec![format!("/tmp/seaweedfs-*-{port}.sock")];
    for name in PORTS {
        let port = free_port()?;
        command.arg(format!("-{name}={port}"));
        sockets.push(format!("/tmp/seaweedfs-*-{port}.sock"));
    }
    command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", KEY);
    bucket(port, Leash::start(&command, &sockets)?, Make::ByItself).await
}

/// A bucket of a store that is not fit for the service.
///
/// # Errors
/// If it does not start.
pub async fn overwriting(store: Forgetful) -> Result<Bucket> {
    let port = free_port()?;
    match store {
        Forgetful::S3rver => {
            let mut command = Command::new(tools::s3rver());
            command.args(["--directory", ".", "--address", "127.0.0.1", "--silent"]);
            command.args(["--port", &port.to_string(), "--allow-mismatched-signatures"]);
            command.args(["--configure-bucket", BUCKET]);
            bucket(port, Leash::start(&command, &[])?, Make::ByItself).await
        }
        Forgetful::Fauxqs => {
            let mut command = Command::new(tools::fauxqs());
            command.env("FAUXQS_HOST", "127.0.0.1").env("FAUXQS_PORT", port.to_string());
            bucket(port, Leash::start(&command, &[])?, Make::ByRequest).await
        }
    }
}

/// Who makes the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Make {
    ByItself,
    ByRequest,
}

/// The bucket of `server`, once it is there.
async fn bucket(port: u16, mut server: Leash, make: Make) -> Result<Bucket> {
    let endpoint = format!("http://127.0.0.1:{port}");
    let settings = [
        ("AWS_ENDPOINT", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", KEY),
    ];
    let env = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let mut client = AmazonS3Builder::new().with_bucket_name(BUCKET);
    for (name, value) in &env {
        client = client.with_config(name.to_lowercase().parse()?, value);
    }
    http::install_tls();
    let (client, http) = (client.build()?, http::client().build()?);
    server
        .ready(|| async {
            if make == Make::ByRequest {
                let made = http.put(format!("{endpoint}/{BUCKET}")).send();
                made.await?.error_for_status()?;
            }
            client.list(None).try_collect::<Vec<_>>().await.map(drop).context("no such bucket")
        })
        .await?;
    Ok(Bucket { url: format!("s3://{BUCKET}"), env, _server: Box::new(server) })
}
