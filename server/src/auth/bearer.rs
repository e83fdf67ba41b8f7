//! From what a request carries to who calls.
//!
//! Both transports use this one function. Whoever has a link needs no credential: pages and links look at that
//! themselves, and act for whoever holds it.

use std::fmt;
use std::sync::Arc;

use super::certificate::{self, CertificateRule};
use super::oidc::{Oidc, Refused};
use crate::net::tls::ClientCertificate;
use ::http::header::AUTHORIZATION;
use ::http::{Extensions, HeaderMap, Request};
use hitl_core::{Known, KnownKind, Namespaces, Principal, Rights, Role, TokenText};
use hitl_service::{Error, Service};
use subtle::ConstantTimeEq;

/// What the value of the header begins with.
const SCHEME: &str = "Bearer ";
/// Longest credential that is looked at.
const CREDENTIAL_BYTES_MAX: usize = 15 * 1024;

/// Who a request was proved to be from. Travels with the request; where there is none, nobody looked.
#[derive(Clone, Debug)]
pub enum Who {
    /// This principal.
    Known(Principal),
    /// Nobody who is known: there is no credential, or no good one.
    Unknown,
}

/// Whom a server lets in.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody, as whoever reaches it: `--insecure`.
    Open,
    /// Those who have a good token.
    Closed(Tokens),
}

/// The tokens of a server: its own, and those of its store.
#[derive(Clone, Debug)]
pub struct Tokens {
    service: Service,
    own: Arc<[OwnToken]>,
    /// Whose JWTs are taken too.
    issuer: Option<Arc<Oidc>>,
    /// Which certificates of clients are as good.
    certificates: Arc<[CertificateRule]>,
}

/// A token that this server was given or has made for itself: it is in no store.
#[derive(Clone)]
pub struct OwnToken {
    text: String,
    principal: Principal,
}

/// What is known without a look at the store.
#[derive(Debug)]
pub enum Looked {
    /// All there is to know.
    Who(Who),
    /// Somebody has to be asked about this.
    Ask(Asked),
}

/// A credential about which somebody has to be asked.
pub enum Asked {
    /// The store, about a token.
    Token(TokenText),
    /// The issuer, if its keys are not known, about a JWT.
    Jwt(Box<str>),
}

/// The text is not shown.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(secret)",
            Self::Jwt(_) => "Jwt(secret)",
        })
    }
}

impl OwnToken {
    /// The token of the user of this machine.
    pub fn of_owner(text: String) -> Self {
        Self { text, principal: Principal::Owner }
    }

    /// The token of an admin of everything, that a file holds.
    pub fn of_admin(text: String) -> Self {
        let known = Known {
            kind: KnownKind::File,
            id: "admin-token-file".to_owned(),
            name: "admin".to_owned(),
            rights: Rights::of([Role::Admin].into_iter().collect(), Namespaces::All),
            groups: Vec::new(),
            until: None,
        };
        Self { text, principal: Principal::Known(Arc::new(known)) }
    }
}

/// The text is not shown.
impl fmt::Debug for OwnToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnToken").field("principal", &self.principal).finish_non_exhaustive()
    }
}

impl Access {
    /// Those who have one of the tokens of the store of `service`, or one of its `own`. JWTs of the `issuer` are as
    /// good as tokens.
    pub fn closed(service: Service, own: Vec<OwnToken>, issuer: Option<Arc<Oidc>>) -> Self {
        Self::Closed(Tokens { service, own: own.into(), issuer, certificates: Arc::new([]) })
    }

    /// Whether somebody without any credential is let in.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// The same, and those whose certificate has a name with a rule.
    pub fn or_by_certificate(mut self, rules: Vec<CertificateRule>) -> Self {
        if let Self::Closed(tokens) = &mut self {
            tokens.certificates = rules.into();
        }
        self
    }

    /// Who sends `request`, as far as it is known without a look at the store: by its credential, or by the certificate
    /// of its connection if it has none. One that is not good is not made up for.
    pub fn look_at<T>(&self, request: &Request<T>) -> Looked {
        match (self, self.look(request.headers())) {
            (Self::Closed(tokens), Looked::Who(Who::Unknown))
                if !request.headers().contains_key(AUTHORIZATION) =>
            {
                Looked::Who(tokens.certified(request.extensions()))
            }
            (_, looked) => looked,
        }
    }

    /// Who calls by these headers, as far as it is known without a look at the store. Takes no room on the heap.
    pub fn look(&self, headers: &HeaderMap) -> Looked {
        match self {
            Self::Open => Looked::Who(Who::Known(Principal::Anyone)),
            Self::Closed(tokens) => tokens.look(headers),
        }
    }

    /// Who holds the credential, by what the store or the issuer says.
    ///
    /// # Errors
    /// Those of the store, and [`Error::IssuerUnavailable`].
    pub async fn ask(&self, asked: &Asked) -> Result<Who, Error> {
        let Self::Closed(tokens) = self else {
            return Ok(Who::Known(Principal::Anyone));
        };
        let holder = match asked {
            Asked::Token(token) => tokens.service.holder(token).await?,
            Asked::Jwt(token) => tokens.bearer_of(token).await?,
        };
        Ok(holder.map_or(Who::Unknown, Who::Known))
    }
}

impl Tokens {
    fn certified(&self, extensions: &Extensions) -> Who {
        let now = || self.service.clock().now();
        let certificate = extensions.get::<Arc<ClientCertificate>>();
        certificate
            .and_then(|shown| certificate::holder(&self.certificates, shown, now()))
            .map_or(Who::Unknown, Who::Known)
    }

    fn look(&self, headers: &HeaderMap) -> Looked {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = given.next() else {
            return Looked::Who(Who::Unknown);
        };
        // Two could be understood in two ways.
        let credential = value.to_str().ok().filter(|_| given.next().is_none()).and_then(bearer);
        let Some(credential) = credential else {
            return Looked::Who(Who::Unknown);
        };
        if let Some(own) = self.own.iter().find(|own| is_same(&own.text, credential)) {
            return Looked::Who(Who::Known(own.principal.clone()));
        }
        let Some(token) = TokenText::parse(credential) else {
            // The head of a JWT is an object in JSON, which base64 shows.
            let is_jwt = self.issuer.is_some() && credential.starts_with("ey");
            return match is_jwt {
                true => Looked::Ask(Asked::Jwt(credential.into())),
                false => Looked::Who(Who::Unknown),
            };
        };
        match self.service.remembered_holder(&token) {
            Some(Some(holder)) => Looked::Who(Who::Known(holder)),
            Some(None) => Looked::Who(Who::Unknown),
            None => Looked::Ask(Asked::Token(token)),
        }
    }

    /// Who bears the JWT `token`; nobody if it is not good.
    async fn bearer_of(&self, token: &str) -> Result<Option<Principal>, Error> {
        let Some(issuer) = &self.issuer else { return Ok(None) };
        match issuer.bearer(token).await {
            Ok((identity, until)) => Ok(Some(identity.principal(until))),
            Err(Refused::Token(why)) => {
                tracing::debug!(why, "a JWT was refused");
                Ok(None)
            }
            // It may be good: whoever has it should try again.
            Err(Refused::Issuer(error)) => {
                tracing::debug!("a JWT cannot be judged: {error:#}");
                Err(Error::IssuerUnavailable)
            }
        }
    }
}

impl Who {
    /// The principal.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub fn principal(&self) -> Result<&Principal, Error> {
        match self {
            Self::Known(principal) => Ok(principal),
            Self::Unknown => Err(Error::Unauthenticated),
        }
    }

    /// The principal of a request with these extensions.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], also where nobody has looked who calls.
    pub fn of(extensions: &Extensions) -> Result<Principal, Error> {
        extensions.get::<Self>().unwrap_or(&Self::Unknown).principal().cloned()
    }
}

/// The credential in the value of the header; the name of the scheme is of any case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, credential) = value.split_at_checked(SCHEME.len())?;
    let fits = scheme.eq_ignore_ascii_case(SCHEME) && credential.len() <= CREDENTIAL_BYTES_MAX;
    fits.then(|| credential.trim_matches(' '))
}

/// Compares in a time that only the length decides.
fn is_same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_scheme_is_known() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for other in ["Basic abc", "Bearer", "abc", "", "Bearerabc", "Bea\u{e9}er abc"] {
            assert_eq!(bearer(other), None, "{other}");
        }
        assert_eq!(bearer(&format!("Bearer {}", "a".repeat(CREDENTIAL_BYTES_MAX + 1))), None);
    }

    #[test]
    fn no_token_of_a_server_is_printed() {
        let shown = format!("{:?}", OwnToken::of_owner("hitl_SECRET".to_owned()));
        assert!(shown.contains("Owner") && !shown.contains("SECRET"), "{shown}");
    }
}
