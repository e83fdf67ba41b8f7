//! What an issuer says of itself.

use anyhow::{Context, ensure};
use serde::Deserialize;
use url::Url;

use super::fetch::Fetch;

/// Where an issuer does what.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    jwks_uri: Url,
    pub(super) userinfo_endpoint: Option<Url>,
    pub(super) end_session_endpoint: Option<Url>,
    /// Whether the secret of a client goes into the form: where nothing is said, it goes into the header.
    pub(super) wants_secret_in_form: bool,
}

/// What the document of an issuer says.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

impl Discovery {
    /// What `issuer` says of itself.
    ///
    /// # Errors
    /// It cannot be reached, or what it says cannot be used.
    pub(super) async fn fetch(fetch: &Fetch, issuer: &str) -> anyhow::Result<Self> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let address = Url::parse(&address).context("the issuer is no address")?;
        Self::parse(&fetch.get(&address).await?, issuer)
            .with_context(|| format!("what {address} says cannot be used"))
    }

    fn parse(text: &[u8], issuer: &str) -> anyhow::Result<Self> {
        let said: Document = serde_json::from_slice(text)?;
        ensure!(said.issuer == issuer, "it is of the issuer {}, not {issuer}", said.issuer);
        let methods = &said.token_endpoint_auth_methods_supported;
        let has = |method: &str| methods.iter().any(|given| given == method);
        let optional = |text: Option<String>| text.as_deref().map(endpoint).transpose();
        Ok(Self {
            wants_secret_in_form: !has("client_secret_basic") && has("client_secret_post"),
            authorization_endpoint: endpoint(&said.authorization_endpoint)?,
            token_endpoint: endpoint(&said.token_endpoint)?,
            jwks_uri: endpoint(&said.jwks_uri)?,
            userinfo_endpoint: optional(said.userinfo_endpoint)?,
            end_session_endpoint: optional(said.end_session_endpoint)?,
        })
    }

    /// The text of its JWKS document.
    pub(super) async fn keys(&self, fetch: &Fetch) -> anyhow::Result<Vec<u8>> {
        fetch.get(&self.jwks_uri).await
    }
}

/// An address of an issuer to which something may be sent.
fn endpoint(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).with_context(|| format!("`{text}` is no address"))?;
    refuse_plain(&url)?;
    Ok(url)
}

/// Refuses an address to which secrets would go in the clear.
pub(super) fn refuse_plain(url: &Url) -> anyhow::Result<()> {
    let is_local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_local;
    ensure!(is_safe, "{url} must be https: plain http is for issuers on this machine alone");
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://issuer.example/realm";

    fn parse(changes: &[(&str, &str)]) -> anyhow::Result<Discovery> {
        let mut said = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://issuer.example/auth",
            "token_endpoint": "https://issuer.example/token",
            "jwks_uri": "https://keys.example/jwks",
        });
        for (name, value) in changes {
            said[*name] = json!(value);
        }
        Discovery::parse(said.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn an_issuer_speaks_for_itself_alone_and_never_of_plain_addresses() {
        parse(&[]).unwrap();
        parse(&[("token_endpoint", "http://127.0.0.1:3000/token")]).unwrap();
        for (name, value) in [
            ("issuer", "https://issuer.example/realm/"),
            ("issuer", "https://evil.example"),
            ("jwks_uri", "http://issuer.example/jwks"),
            ("jwks_uri", "file:///etc/passwd"),
            ("token_endpoint", "http://127.0.0.1.evil.example/"),
            ("end_session_endpoint", "javascript:alert(1)"),
            ("authorization_endpoint", "auth"),
        ] {
            assert!(parse(&[(name, value)]).is_err(), "{name} {value}");
        }
    }
}
