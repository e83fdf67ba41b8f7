//! Asks an issuer, which is somebody else's server: no redirect is followed, since it could lead into our own network,
//! and nothing is waited for or read without a bound.

use std::sync::Once;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, redirect};
use url::Url;

/// Longest that an issuer may take for one reply.
const PATIENCE: Duration = Duration::from_secs(5);

/// Largest reply that is read. The keys and groups of the largest issuers take a tenth.
const REPLY_BYTES_MAX: usize = 512 * 1024;

static TLS: Once = Once::new();

/// The issuer has replied, and not done what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{url} replies {status} {code}")]
pub(super) struct Replied {
    url: Url,
    status: u16,
    /// Its error code; empty if it gives none.
    pub(super) code: String,
}

/// Asks with these bounds.
#[derive(Clone, Debug)]
pub(super) struct Fetch(Client);

impl Fetch {
    pub(super) fn new() -> anyhow::Result<Self> {
        // Whoever comes second finds it done.
        TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            .user_agent(concat!("hitl/", env!("CARGO_PKG_VERSION")))
            .build();
        client.context("cannot make a client for the OIDC issuer").map(Self)
    }

    pub(super) async fn get(&self, url: &Url) -> anyhow::Result<Vec<u8>> {
        read(self.0.get(url.clone()), url).await
    }

    /// What `url` says to whoever bears `token`.
    pub(super) async fn get_with(&self, url: &Url, token: &str) -> anyhow::Result<Vec<u8>> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))?;
        bearer.set_sensitive(true);
        read(self.0.get(url.clone()).header(AUTHORIZATION, bearer), url).await
    }

    /// What `url` replies to a form with these `fields`.
    pub(super) async fn post(
        &self,
        url: &Url,
        fields: &[(&str, &str)],
        headers: HeaderMap,
    ) -> anyhow::Result<Vec<u8>> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.0.post(url.clone()).headers(headers);
        read(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form), url)
            .await
    }
}

async fn read(request: RequestBuilder, url: &Url) -> anyhow::Result<Vec<u8>> {
    let reply = request.header(ACCEPT, "application/json").send().await;
    let mut reply = reply
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("no reply from {url}"))?;
    let mut body = Vec::new();
    let cut = || format!("the reply of {url} broke off");
    while let Some(chunk) =
        reply.chunk().await.map_err(reqwest::Error::without_url).with_context(cut)?
    {
        ensure!(body.len() + chunk.len() <= REPLY_BYTES_MAX, "the reply of {url} is too long");
        body.extend_from_slice(&chunk);
    }
    let status = reply.status();
    if !status.is_success() {
        // Of what it says, the error code of OAuth alone is shown: the rest may repeat what was sent.
        let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let code = said["error"].as_str().unwrap_or_default();
        let code = hitl_proto::visible::cut_line(code, 60);
        return Err(Replied { url: url.clone(), status: status.as_u16(), code }.into());
    }
    Ok(body)
}
