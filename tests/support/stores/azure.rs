//! Azure's store, by its own emulator.

use std::process::Command;

use anyhow::Result;
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use reqwest::Method;

use crate::config::free_port;
use crate::http;
use crate::stores::{Bucket, Leash};
use crate::tools;

const CONTAINER: &str = "hitl";
/// The account that every Azurite has, and its key, which its documentation tells.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A container of Azurite.
///
/// # Errors
/// If it does not start.
pub(crate) async fn azurite() -> Result<Bucket> {
    let port = free_port()?;
    let mut command = Command::new(tools::azurite());
    command.args(["--inMemoryPersistence", "--silent", "--skipApiVersionCheck"]);
    command.args(["--disableTelemetry", "--blobHost", "127.0.0.1"]);
    command.args(["--blobPort", &port.to_string()]);
    let mut server = Leash::start(&command, &[])?;
    let endpoint = format!("http://127.0.0.1:{port}/{ACCOUNT}");
    server.ready(|| make_container(&endpoint)).await?;
    let settings = [
        ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
        ("AZURE_ALLOW_HTTP", "true"),
        ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
        ("AZURE_STORAGE_ACCOUNT_KEY", KEY),
    ];
    let env = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Ok(Bucket { url: format!("az://{CONTAINER}"), env, _server: Box::new(server) })
}

async fn make_container(endpoint: &str) -> Result<()> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = Method::PUT;
    *request.uri_mut() = format!("{endpoint}/{CONTAINER}?restype=container").parse()?;
    // Signed like every other header, so it cannot be left to the client.
    request.headers_mut().insert(reqwest::header::CONTENT_LENGTH, 0.into());
    let key = AzureCredential::AccessKey(AzureAccessKey::try_new(KEY)?);
    AzureAuthorizer::new(&key, ACCOUNT).try_authorize(&mut request)?;
    let call = http::client().build()?.put(request.uri().to_string());
    let reply = call.headers(request.headers().clone()).send().await?;
    reply.error_for_status()?;
    Ok(())
}
