//! The way of a browser through an issuer: authorization code, PKCE, state and nonce.
//!
//! What has to be known again when the browser comes back travels in a cookie of its own, so that any replica can go
//! on.

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64};
use hitl_store::random::{self, Random};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use super::claims::{Claims, Kind};
use super::discovery::Discovery;
use super::fetch::Replied;
use super::issuer::Refused;
use super::{Client, Oidc};

/// A sign-in that has begun.
#[derive(Serialize, Deserialize)]
pub struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    /// Where the browser wanted to go: a path of this server.
    pub to: String,
}

/// What the issuer sent back with the browser.
#[derive(Default)]
pub struct Returned {
    /// What the tokens are fetched with.
    pub code: String,
    /// That of the sign-in.
    pub state: String,
    /// Who says that it is the issuer; empty if nobody.
    pub issuer: String,
}

/// What a sign-in gives.
pub struct SignedIn {
    pub(super) claims: Claims,
    /// The ID token, which tells the issuer at sign-out who signs out.
    pub id_token: String,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
}

impl Begun {
    /// A sign-in that leads to the path `to`.
    pub fn new(to: String, random: &dyn Random) -> Self {
        let secret = || BASE64.encode(random::bytes::<32>(random));
        Self { state: secret(), nonce: secret(), verifier: secret(), to }
    }

    /// Whether this is the sign-in that `state` came back from.
    pub fn is_of(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }
}

impl Oidc {
    /// The address of the issuer's page where `begun` goes on.
    ///
    /// # Errors
    /// The issuer cannot be reached.
    pub async fn authorize_url(&self, begun: &Begun) -> anyhow::Result<Url> {
        let client = self.client()?;
        let mut url = self.issuer.reach().await?.discovery.authorization_endpoint.clone();
        let challenge = BASE64.encode(Sha256::digest(&begun.verifier));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", &client.redirect)
            .append_pair("scope", &client.scope)
            .append_pair("state", &begun.state)
            .append_pair("nonce", &begun.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Exchanges what came back for who signed in.
    ///
    /// # Errors
    /// It does not belong to `begun`, the issuer refuses it, or it cannot be reached.
    pub async fn finish(&self, begun: &Begun, returned: &Returned) -> Result<SignedIn, Refused> {
        if !begun.is_of(&returned.state) {
            return Err("it came back from another sign-in".into());
        }
        if !returned.issuer.is_empty() && returned.issuer != self.settings.issuer {
            return Err("it came back from another issuer".into());
        }
        let client = self.client().map_err(Refused::Issuer)?;
        let said = self.issuer.said().await.map_err(Refused::Issuer)?;
        let tokens = self.exchange(client, &said.discovery, begun, &returned.code).await;
        let tokens = tokens.map_err(|error| match error.downcast_ref::<Replied>() {
            Some(replied) if replied.code == "invalid_grant" => {
                Refused::Token("the issuer does not take its code, or not any more")
            }
            _ => Refused::Issuer(error),
        })?;
        let id_token = tokens.id_token.ok_or("the issuer gave no ID token")?;
        let kind = Kind::Identity { nonce: &begun.nonce };
        let mut claims = self.issuer.verify(&id_token, kind, &client.id).await?;
        if let (Some(url), Some(token)) = (&said.discovery.userinfo_endpoint, &tokens.access_token)
        {
            let more = self.userinfo(url, token).await.map_err(Refused::Issuer)?;
            claims.add(more)?;
        }
        Ok(SignedIn { claims, id_token })
    }

    async fn exchange(
        &self,
        client: &Client,
        discovery: &Discovery,
        begun: &Begun,
        code: &str,
    ) -> anyhow::Result<Tokens> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", client.redirect.as_str()),
            ("code_verifier", begun.verifier.as_str()),
        ];
        let mut headers = HeaderMap::new();
        match &client.secret {
            None => fields.push(("client_id", client.id.as_str())),
            Some(secret) if discovery.wants_secret_in_form => {
                fields.extend([
                    ("client_id", client.id.as_str()),
                    ("client_secret", secret.as_str()),
                ]);
            }
            Some(secret) => drop(headers.insert(AUTHORIZATION, basic(&client.id, secret))),
        }
        let reply = self.issuer.fetch.post(&discovery.token_endpoint, &fields, headers).await?;
        serde_json::from_slice(&reply).map_err(|_| anyhow!("the issuer's tokens cannot be read"))
    }

    /// What the issuer says of the person beside the ID token, which many keep short.
    async fn userinfo(
        &self,
        url: &Url,
        token: &str,
    ) -> anyhow::Result<serde_json::Map<String, serde_json::Value>> {
        let reply = self.issuer.fetch.get_with(url, token).await?;
        serde_json::from_slice(&reply).context("the issuer's userinfo cannot be read")
    }

    /// Where the browser goes to sign out at the issuer too, and from there to `back`. None if the issuer has no such
    /// page, or cannot be reached.
    pub async fn end_session_url(&self, id_token: Option<&str>, back: &str) -> Option<Url> {
        let client = self.client().ok()?;
        let said = self.issuer.said().await.ok()?;
        let mut url = said.discovery.end_session_endpoint.clone()?;
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", &client.id);
        query.append_pair("post_logout_redirect_uri", back);
        if let Some(id_token) = id_token {
            query.append_pair("id_token_hint", id_token);
        }
        drop(query);
        Some(url)
    }
}

/// The header with the secret of a client, each part encoded as OAuth wants it.
fn basic(id: &str, secret: &str) -> HeaderValue {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = BASE64_STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    let mut header =
        HeaderValue::from_str(&format!("Basic {pair}")).expect("base64 makes a header");
    header.set_sensitive(true);
    header
}
