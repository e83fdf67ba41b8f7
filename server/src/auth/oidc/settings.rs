//! The flags of the issuer.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use url::Url;

use super::discovery::refuse_plain;
use super::rules::{Mapping, Rule};
use crate::auth::session::Lifetimes;

/// Where an issuer sends browsers back to, below the public URL.
const CALLBACK: &str = "/sign-in/callback";

/// The issuer of those who sign in, and what they may do.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Sign-in")]
pub struct OidcArgs {
    /// The OIDC issuer whose people may sign in and whose tokens are taken, as its discovery document names it:
    /// `https://accounts.google.com`
    #[arg(long, env = "HITL_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<String>,

    /// The id of this server at the issuer. With it people sign in to the pages; the issuer must send them back to
    /// /sign-in/callback below the public URL.
    #[arg(long, env = "HITL_OIDC_CLIENT_ID", value_name = "ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,

    /// File with the secret of this server at the issuer, readable by its owner alone. Not needed for a public client.
    #[arg(
        long,
        env = "HITL_OIDC_CLIENT_SECRET_FILE",
        value_name = "FILE",
        requires = "oidc_client_id"
    )]
    pub oidc_client_secret_file: Option<PathBuf>,

    /// What the JWTs of programs must name as their audience. Without it no JWT is taken with a call.
    #[arg(long, env = "HITL_OIDC_AUDIENCE", value_name = "TEXT", requires = "oidc_issuer")]
    pub oidc_audience: Option<String>,

    /// Who may do what: `WHO=ROLE[,ROLE][@NAMESPACE[,NAMESPACE]]`. WHO is the name of a group, email:ADDRESS,
    /// domain:NAME (of Google), client:ID (a program), or * for everybody whom the issuer knows. May be repeated; in
    /// the variable they are separated by semicolons.
    #[arg(
        long = "oidc-role",
        env = "HITL_OIDC_ROLES",
        value_name = "WHO=ROLE",
        value_delimiter = ';'
    )]
    pub oidc_roles: Vec<Rule>,

    /// The claim that lists groups; a path such as realm_access.roles leads into a claim. May be repeated.
    #[arg(
        long = "oidc-groups-claim",
        env = "HITL_OIDC_GROUPS_CLAIM",
        value_name = "CLAIM",
        value_delimiter = ';',
        default_value = "groups"
    )]
    pub oidc_groups_claims: Vec<String>,

    /// The claim with the name to show. [default: name, else preferred_username, else a proven email, else sub]
    #[arg(
        long,
        env = "HITL_OIDC_NAME_CLAIM",
        value_name = "CLAIM",
        default_value = "",
        hide_default_value = true
    )]
    pub oidc_name_claim: String,

    /// The scopes to ask for.
    #[arg(
        long,
        env = "HITL_OIDC_SCOPE",
        value_name = "SCOPES",
        default_value = "openid profile email"
    )]
    pub oidc_scope: String,

    /// How long a session of a browser lasts without being used.
    #[arg(
        long,
        env = "HITL_SESSION_IDLE",
        value_name = "TIME",
        default_value = "2h",
        value_parser = humantime::parse_duration
    )]
    pub session_idle: Duration,

    /// How long it lasts at most, up to a day.
    #[arg(
        long,
        env = "HITL_SESSION_MAX",
        value_name = "TIME",
        default_value = "12h",
        value_parser = humantime::parse_duration
    )]
    pub session_max: Duration,
}

/// The same, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) issuer: String,
    pub(super) audience: Option<String>,
    pub(super) client: Option<Client>,
    pub(super) mapping: Mapping,
}

/// This server, as the issuer knows it.
#[derive(Clone)]
pub struct Client {
    pub(super) id: String,
    pub(super) secret: Option<String>,
    pub(super) scope: String,
    /// Where browsers are sent back to.
    pub(super) redirect: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

impl OidcArgs {
    /// How claims and groups are read.
    pub fn mapping(&self) -> Mapping {
        Mapping {
            groups_claims: self.oidc_groups_claims.clone(),
            name_claim: self.oidc_name_claim.clone(),
            rules: self.oidc_roles.clone(),
        }
    }

    /// How long sessions last.
    pub fn lifetimes(&self) -> Lifetimes {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Lifetimes { idle_ms: ms(self.session_idle), whole_ms: ms(self.session_max) }
    }

    /// The settings of a server at `public_url`; none if no issuer is named.
    ///
    /// # Errors
    /// Something is wrong with them; the message says what to do.
    pub fn settings(&self, public_url: &str) -> anyhow::Result<Option<Settings>> {
        let Some(issuer) = self.oidc_issuer.clone().filter(|issuer| !issuer.is_empty()) else {
            return Ok(None);
        };
        let url =
            Url::parse(&issuer).with_context(|| format!("--oidc-issuer {issuer} is no address"))?;
        refuse_plain(&url).context("--oidc-issuer cannot be used")?;
        ensure!(
            self.oidc_client_id.is_some() || self.oidc_audience.is_some(),
            "--oidc-issuer alone lets nobody in: give --oidc-client-id for people, --oidc-audience for programs"
        );
        ensure!(
            self.oidc_scope.split(' ').any(|scope| scope == "openid"),
            "--oidc-scope must have openid among its scopes"
        );
        let client = self.oidc_client_id.clone().map(|id| {
            let secret = self.oidc_client_secret_file.as_deref().map(super::secret).transpose()?;
            let redirect = format!("{}{CALLBACK}", public_url.trim_end_matches('/'));
            anyhow::Ok(Client { id, secret, scope: self.oidc_scope.clone(), redirect })
        });
        Ok(Some(Settings {
            issuer,
            audience: self.oidc_audience.clone(),
            client: client.transpose()?,
            mapping: self.mapping(),
        }))
    }
}
