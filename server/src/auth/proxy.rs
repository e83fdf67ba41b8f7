//! People whom an authenticating proxy names in headers.
//!
//! Whoever can send such a header could be anybody, so it is believed only from a listed address and beside a secret
//! that the proxy has from us. One without the other is refused, and nothing of it is taken.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use hitl_core::Rights;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::oidc::{Mapping, secret};

/// Least length of the secret.
const SECRET_BYTES_MIN: usize = 16;
/// Longest text of a header that is looked at.
const HEADER_BYTES_MAX: usize = 8 * 1024;
const NAME_CHARS_MAX: usize = 200;

/// The proxy that signs people in, if one does.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Sign-in by a proxy")]
pub struct ProxyArgs {
    /// Addresses of a proxy that signs people in and names them in headers, such as 10.0.0.0/8. May be repeated. Off
    /// unless given.
    #[arg(
        long = "trusted-proxy",
        env = "HITL_TRUSTED_PROXY",
        value_name = "NETWORK",
        value_delimiter = ',',
        value_parser = network,
        requires = "trusted_proxy_secret_file"
    )]
    pub trusted_proxies: Vec<IpNet>,

    /// File with the secret that the proxy must send beside a name, readable by its owner alone.
    #[arg(
        long,
        env = "HITL_TRUSTED_PROXY_SECRET_FILE",
        value_name = "FILE",
        requires = "trusted_proxies"
    )]
    pub trusted_proxy_secret_file: Option<PathBuf>,

    /// The header with that secret.
    #[arg(
        long,
        env = "HITL_TRUSTED_PROXY_SECRET_HEADER",
        value_name = "NAME",
        default_value = "x-hitl-proxy-secret"
    )]
    pub trusted_proxy_secret_header: Option<HeaderName>,

    /// The header that says who somebody is: it must never name two people alike.
    #[arg(
        long,
        env = "HITL_TRUSTED_USER_HEADER",
        value_name = "NAME",
        default_value = "x-forwarded-user"
    )]
    pub trusted_user_header: Option<HeaderName>,

    /// The header with the name to show. The user is shown if there is none.
    #[arg(
        long,
        env = "HITL_TRUSTED_NAME_HEADER",
        value_name = "NAME",
        default_value = "x-forwarded-preferred-username"
    )]
    pub trusted_name_header: Option<HeaderName>,

    /// The header with the groups, with commas between. --oidc-role says what each may do.
    #[arg(
        long,
        env = "HITL_TRUSTED_GROUPS_HEADER",
        value_name = "NAME",
        default_value = "x-forwarded-groups"
    )]
    pub trusted_groups_header: Option<HeaderName>,
}

/// The same, checked.
pub struct Proxy {
    networks: Vec<IpNet>,
    secret: [u8; 32],
    secret_header: HeaderName,
    user_header: HeaderName,
    name_header: HeaderName,
    groups_header: HeaderName,
    mapping: Mapping,
}

/// Whom a proxy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Who it is, as the proxy tells people apart.
    pub user: String,
    /// What people call them.
    pub name: String,
    /// Their groups.
    pub groups: Vec<String>,
    /// What they may do.
    pub rights: Rights,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("networks", &self.networks).finish_non_exhaustive()
    }
}

impl ProxyArgs {
    /// The proxy, whose groups `mapping` reads; none if none is trusted.
    ///
    /// # Errors
    /// The secret cannot be used; the message says what to do.
    pub fn settings(&self, mapping: Mapping) -> anyhow::Result<Option<Proxy>> {
        if self.trusted_proxies.is_empty() {
            return Ok(None);
        }
        let file = self.trusted_proxy_secret_file.as_deref();
        let file = file.context(
            "--trusted-proxy needs --trusted-proxy-secret-file: an address alone proves nothing",
        )?;
        let secret = secret(file)?;
        ensure!(
            secret.len() >= SECRET_BYTES_MIN,
            "the secret in {} is too short: `openssl rand -hex 32` makes one",
            file.display()
        );
        let header = |name: &Option<HeaderName>| name.clone().context("it has a default");
        Ok(Some(Proxy {
            networks: self.trusted_proxies.clone(),
            secret: Sha256::digest(secret).into(),
            secret_header: header(&self.trusted_proxy_secret_header)?,
            user_header: header(&self.trusted_user_header)?,
            name_header: header(&self.trusted_name_header)?,
            groups_header: header(&self.trusted_groups_header)?,
            mapping,
        }))
    }
}

impl Proxy {
    /// Whom a request from `address` with these headers comes from, if a proxy names somebody.
    ///
    /// # Errors
    /// Somebody is named, or the secret is shown, and not both from an address that is trusted.
    pub fn named(
        &self,
        address: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Result<Option<Named>, &'static str> {
        let has = |name| headers.contains_key(name);
        if !has(&self.user_header) && !has(&self.secret_header) {
            return Ok(None);
        }
        let address = address.map(|address| address.to_canonical());
        let is_listed = address
            .is_some_and(|address| self.networks.iter().any(|network| network.contains(&address)));
        if !is_listed {
            return Err("this address is none of --trusted-proxy, and may not say who calls");
        }
        let shown = one(headers, &self.secret_header)?.unwrap_or_default();
        let shown: [u8; 32] = Sha256::digest(shown).into();
        if !bool::from(shown.ct_eq(&self.secret)) {
            return Err("the proxy does not show the secret of --trusted-proxy-secret-file");
        }
        let Some(user) = one(headers, &self.user_header)?.filter(|user| !user.is_empty()) else {
            // A proxy that lets somebody through who has not signed in.
            return Ok(None);
        };
        let name = one(headers, &self.name_header)?.filter(|name| !name.is_empty()).unwrap_or(user);
        let groups = one(headers, &self.groups_header)?.unwrap_or_default();
        let groups = groups.split(',').map(str::trim).filter(|group| !group.is_empty());
        let groups: Vec<String> = groups.map(str::to_owned).collect();
        Ok(Some(Named {
            user: user.to_owned(),
            name: name.chars().take(NAME_CHARS_MAX).collect(),
            rights: self.mapping.rights_of_groups(&groups),
            groups,
        }))
    }
}

/// A network, or an address alone.
fn network(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or(alone)
        .map_err(|_| format!("`{text}` is no network such as 10.0.0.0/8"))
}

/// The only value of a header. One that comes twice may be half a caller's own.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, &'static str> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("a header of the proxy comes twice: it must replace what callers send");
    }
    let text =
        std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.len() <= HEADER_BYTES_MAX);
    text.map(|text| Some(text.trim())).ok_or("a header of the proxy cannot be read")
}

#[cfg(test)]
mod tests {
    use hitl_core::Role;
    use http::HeaderValue;

    use super::*;

    const SECRET: (&str, &str) = ("x-hitl-proxy-secret", "0123456789abcdef");
    const ANN: (&str, &str) = ("x-forwarded-user", "ann@example");

    fn proxy() -> Proxy {
        let header = HeaderName::from_static;
        Proxy {
            networks: vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()],
            secret: Sha256::digest(SECRET.1).into(),
            secret_header: header("x-hitl-proxy-secret"),
            user_header: header("x-forwarded-user"),
            name_header: header("x-forwarded-preferred-username"),
            groups_header: header("x-forwarded-groups"),
            mapping: Mapping {
                groups_claims: Vec::new(),
                name_claim: String::new(),
                rules: vec!["approvers=responder".parse().unwrap()],
            },
        }
    }

    fn named(address: &str, pairs: &[(&'static str, &str)]) -> Result<Option<Named>, &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        proxy().named(Some(address.parse().unwrap()), &headers)
    }

    #[test]
    fn a_name_is_believed_from_a_listed_address_with_the_secret_and_never_without_either() {
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"] {
            let groups = ("x-forwarded-groups", "everybody, approvers");
            let ann = named(address, &[ANN, SECRET, groups]).unwrap().unwrap();
            assert_eq!((ann.user.as_str(), ann.name.as_str()), ("ann@example", "ann@example"));
            assert!(ann.rights.hold(Role::Responder, &"default".parse().unwrap()));
        }
        for address in ["10.2.0.1", "127.0.0.1", "::1", "::ffff:10.2.0.1"] {
            assert!(named(address, &[ANN, SECRET]).is_err(), "{address}");
            assert!(named(address, &[ANN]).is_err(), "{address}");
            assert!(named(address, &[SECRET]).is_err(), "{address}");
        }
        let wrong = ("x-hitl-proxy-secret", "0123456789abcdeF");
        for pairs in [&[ANN][..], &[ANN, wrong], &[ANN, SECRET, SECRET], &[ANN, ANN, SECRET]] {
            assert!(named("10.1.2.3", pairs).is_err(), "{pairs:?}");
        }
        assert!(
            proxy()
                .named(
                    None,
                    &HeaderMap::from_iter([(
                        HeaderName::from_static(ANN.0),
                        HeaderValue::from_static(ANN.1),
                    )])
                )
                .is_err()
        );
    }

    #[test]
    fn a_call_that_names_nobody_is_nobodys() {
        assert_eq!(named("10.2.0.1", &[]), Ok(None));
        assert_eq!(named("10.1.2.3", &[("x-forwarded-groups", "approvers")]), Ok(None));
        assert_eq!(named("10.1.2.3", &[SECRET]), Ok(None));
        assert_eq!(named("10.1.2.3", &[SECRET, ("x-forwarded-user", " ")]), Ok(None));
    }
}
