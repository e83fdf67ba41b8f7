//! People and programs whom an OIDC issuer knows: bearer JWTs with calls, and sign-in for pages.
//!
//! The issuer is believed in who somebody is, and the operator's rules say what that somebody may do.

mod claims;
mod crypto;
mod discovery;
mod fetch;
mod flow;
mod issuer;
mod keys;
mod rules;
mod settings;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::{Context, anyhow};
use hitl_core::{Rights, Timestamp};
use hitl_store::clock::Clock;
use serde::{Deserialize, Serialize};

use claims::{Claims, Kind};
pub use flow::{Begun, Returned, SignedIn};
use issuer::Issuer;
pub use issuer::{Refused, subject_of};
pub(super) use rules::right;
pub use rules::{Mapping, Rule};
pub use settings::{Client, OidcArgs, Settings};

/// See the module.
#[derive(Debug)]
pub struct Oidc {
    settings: Settings,
    issuer: Arc<Issuer>,
}

/// Whom an issuer vouches for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Who made the claims.
    pub issuer: String,
    /// Never given to anybody else by that issuer.
    pub subject: String,
    /// The session at the issuer; empty if it says none.
    pub session: String,
    /// What people call them.
    pub name: String,
    /// Groups, those first that a rule names.
    pub groups: Vec<String>,
    /// What they may do.
    pub rights: Rights,
    /// Whether it is a program that calls in its own name.
    pub is_program: bool,
}

/// Who has signed out at the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOut {
    /// The issuer.
    pub issuer: String,
    /// The person; empty if only the session is named.
    pub subject: String,
    /// The session at the issuer; empty if all of the person's have ended.
    pub session: String,
}

impl Oidc {
    /// What `settings` say, by this clock.
    ///
    /// # Errors
    /// There can be no client for the issuer.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let issuer = Arc::new(Issuer::new(&settings.issuer, clock)?);
        Ok(Self { settings, issuer })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Whether people can sign in, and not only programs call.
    pub fn can_sign_in(&self) -> bool {
        self.settings.client.is_some()
    }

    /// Who shows `token` with a call, and until when it is good.
    ///
    /// # Errors
    /// It is not good, or that cannot be found out.
    pub async fn bearer(&self, token: &str) -> Result<(Identity, Option<Timestamp>), Refused> {
        let audience = self.settings.audience.as_deref();
        let audience = audience.ok_or("no --oidc-audience is set, so no JWT is taken")?;
        let claims = self.issuer.verify(token, Kind::Bearer, audience).await?;
        Ok((self.identity(&claims), claims.end()))
    }

    /// Who has signed in.
    pub fn who(&self, signed_in: &SignedIn) -> Identity {
        self.identity(&signed_in.claims)
    }

    /// Who has signed out, as the issuer tells by `token`.
    ///
    /// # Errors
    /// It is not good, or that cannot be found out.
    pub async fn signed_out(&self, token: &str) -> Result<SignedOut, Refused> {
        let client = self.client().map_err(Refused::Issuer)?;
        let claims = self.issuer.verify(token, Kind::Logout, &client.id).await?;
        Ok(SignedOut {
            issuer: self.settings.issuer.clone(),
            subject: claims.subject().to_owned(),
            session: claims.session().to_owned(),
        })
    }

    fn identity(&self, claims: &Claims) -> Identity {
        let described = self.settings.mapping.describe(claims);
        Identity {
            issuer: self.settings.issuer.clone(),
            subject: claims.subject().to_owned(),
            session: claims.session().to_owned(),
            name: described.name,
            groups: described.groups,
            rights: described.rights,
            is_program: described.is_program,
        }
    }

    fn client(&self) -> anyhow::Result<&Client> {
        let client = self.settings.client.as_ref();
        client.ok_or_else(|| anyhow!("nobody can sign in: no --oidc-client-id is set"))
    }
}

/// A secret in `file`, without the line end that editors leave.
pub(super) fn secret(file: &std::path::Path) -> anyhow::Result<String> {
    let text = super::key_file::read(file);
    let text = text.with_context(|| format!("cannot use the secret in {}", file.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']).to_owned();
    anyhow::ensure!(!secret.is_empty(), "the secret in {} is empty", file.display());
    Ok(secret)
}
