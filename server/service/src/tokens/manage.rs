//! Making, listing and ending tokens.

use hitl_core::{
    Action, AuditKind, Audited, Namespace, Principal, Role, Roles, TokenId, TokenText, Violation,
};
use hitl_store::{Rotated, StoredToken, TokenState, random};

use super::{EVERYWHERE, hash_of};
use crate::error::Error;
use crate::{Service, Session};

/// Most tokens in a store, those that have ended too.
const TOKENS_MAX: usize = 10_000;
/// Longest name of a token.
const NAME_CHARS_MAX: usize = hitl_core::limits::NAME_CHARS_MAX;
/// Most namespaces of a token.
const NAMESPACES_MAX: usize = 100;
/// Shortest and longest time until a token expires.
const TTL_MS: std::ops::RangeInclusive<i64> = 60_000..=10 * 366 * 86_400_000;
/// Longest time in which a token and the one in its stead are both good.
const OVERLAP_MS_MAX: i64 = 30 * 86_400_000;

/// A token that is asked for, not checked yet.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// What to call it.
    pub name: String,
    /// What its holder may do.
    pub roles: Vec<Role>,
    /// Where: `*` alone is everywhere; the default namespace if empty.
    pub namespaces: Vec<String>,
    /// For how many milliseconds it is good; `None` for ever.
    pub ttl_ms: Option<i64>,
}

/// A token that was made: the only time that its text is known.
#[derive(Debug)]
pub struct Made {
    /// What the store has.
    pub token: TokenState,
    /// What its holder has.
    pub text: TokenText,
}

/// A page of a list of tokens.
#[derive(Debug)]
pub struct TokenPage {
    /// The tokens, in the order of their ids.
    pub tokens: Vec<TokenState>,
    /// The last of them, if there are more.
    pub next_after: Option<TokenId>,
}

impl Session {
    /// Makes a token.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::InvalidRequest`], and those of the store.
    pub async fn create_token(&self, asked: NewToken) -> Result<Made, Error> {
        self.may_manage_tokens()?;
        let namespaces = check(&asked)?;
        let service = self.service();
        if service.0.store.token_ids().await?.len() >= TOKENS_MAX {
            return Err(Error::invalid(
                "name",
                format!("is one too many: a store has at most {TOKENS_MAX} tokens"),
            ));
        }
        let now = service.now()?;
        let text = service.new_text();
        let token = StoredToken {
            id: text.id,
            principal: text.id,
            name: asked.name,
            roles: asked.roles.into_iter().collect::<Roles>().iter().collect(),
            namespaces,
            secret_sha256: hash_of(&text),
            create_time: now,
            expire_time: asked.ttl_ms.map(|ttl_ms| now.plus_ms(ttl_ms)),
        };
        let made = service.make(token, text).await?;
        let created = Audited::new(AuditKind::TokenCreated).about(made.text.id.to_string());
        self.audit(created.saying(made.summary())).await;
        Ok(made)
    }

    /// The tokens after the one with the id `after`, `size` at most.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], and those of the store.
    pub async fn list_tokens(
        &self,
        after: Option<TokenId>,
        size: usize,
    ) -> Result<TokenPage, Error> {
        self.may_manage_tokens()?;
        let store = &self.service().0.store;
        let ids = store.token_ids().await?.into_iter().filter(|id| after.is_none_or(|at| *id > at));
        let mut ids: Vec<_> = ids.take(size + 1).collect();
        let has_more = ids.len() > size;
        ids.truncate(size);
        let mut tokens = Vec::new();
        for id in &ids {
            tokens.extend(store.token(*id).await?);
        }
        Ok(TokenPage { tokens, next_after: ids.last().copied().filter(|_| has_more) })
    }

    /// Ends a token for good. One that has ended so is returned as it is.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::TokenNotFound`], and those of the store.
    pub async fn revoke_token(&self, id: TokenId) -> Result<TokenState, Error> {
        self.may_manage_tokens()?;
        let service = self.service();
        let before = service.find(id).await?;
        service.0.store.revoke_token(id, service.now()?, service.nonce()).await?;
        // It is not good any more for this server at once.
        service.read_token(id).await?;
        if before.revoke_time.is_none() {
            let revoked = Audited::new(AuditKind::TokenRevoked).about(id.to_string());
            self.audit(revoked.saying(before.token.name)).await;
        }
        service.find(id).await
    }

    /// Makes a token in the stead of the one with this id, which is good for `overlap_ms` more. The new one is good for
    /// `ttl_ms`, or as long as the other was given at first.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::InvalidRequest`], [`Error::TokenNotFound`] if there is no such token or it
    /// is not good any more, and those of the store.
    pub async fn rotate_token(
        &self,
        id: TokenId,
        overlap_ms: i64,
        ttl_ms: Option<i64>,
    ) -> Result<Made, Error> {
        self.may_manage_tokens()?;
        if !(0..=OVERLAP_MS_MAX).contains(&overlap_ms) {
            return Err(Error::invalid("overlap", "must lie between 0 and 30 days"));
        }
        check_ttl(ttl_ms)?;
        let service = self.service();
        let old = service.find(id).await?;
        let now = service.now()?;
        if old.rotated.is_some() || old.end().is_some_and(|end| end <= now) {
            return Err(Error::TokenNotFound(id.to_string()));
        }
        let old = old.token;
        let given_ms = old.expire_time.map(|end| end.ms_since(old.create_time));
        let text = service.new_text();
        let token = StoredToken {
            id: text.id,
            secret_sha256: hash_of(&text),
            create_time: now,
            expire_time: ttl_ms.or(given_ms).map(|ttl_ms| now.plus_ms(ttl_ms)),
            ..old
        };
        let made = service.make(token, text).await?;
        let successor = made.text.id;
        let rotated = Rotated { successor, time: now.plus_ms(overlap_ms) };
        if !service.0.store.rotate_token(id, rotated, service.nonce()).await? {
            // Somebody else was quicker. Nobody has been told of this one.
            service.0.store.revoke_token(successor, now, service.nonce()).await?;
            return Err(Error::TokenNotFound(id.to_string()));
        }
        service.read_token(id).await?;
        let rotated = Audited::new(AuditKind::TokenRotated).about(successor.to_string());
        self.audit(rotated.saying(format!("in the stead of {id}, {}", made.summary()))).await;
        Ok(made)
    }

    /// Who this is, as it may know itself.
    ///
    /// # Errors
    /// [`Error::LinkInvalid`] for a link.
    pub fn who_am_i(&self) -> Result<&Principal, Error> {
        self.may(Action::KnowItself)?;
        Ok(self.principal())
    }

    fn may_manage_tokens(&self) -> Result<(), Error> {
        self.may(Action::ManageTokens)
    }
}

impl Made {
    /// What the token is called, and what its holder may do where.
    fn summary(&self) -> String {
        let StoredToken { name, roles, namespaces, .. } = &self.token.token;
        let roles: Vec<_> = roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
        format!("{} in {}: {name}", roles.join(", "), namespaces.join(", "))
    }
}

impl Service {
    fn new_text(&self) -> TokenText {
        let id = TokenId::from_bytes(random::bytes(&*self.0.random));
        TokenText { id, secret: random::bytes(&*self.0.random) }
    }

    async fn make(&self, token: StoredToken, text: TokenText) -> Result<Made, Error> {
        self.0.store.create_token(token.clone(), self.nonce()).await?;
        let token = TokenState { token, revoke_time: None, rotated: None };
        Ok(Made { token, text })
    }

    async fn find(&self, id: TokenId) -> Result<TokenState, Error> {
        let found = self.0.store.token(id).await?;
        found.ok_or_else(|| Error::TokenNotFound(id.to_string()))
    }

    /// Whether the store has any token, good or not.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn has_tokens(&self) -> Result<bool, Error> {
        Ok(!self.0.store.token_ids().await?.is_empty())
    }
}

/// Checks what is asked for, and returns its namespaces.
fn check(asked: &NewToken) -> Result<Vec<String>, Error> {
    let mut broken = Vec::new();
    let name = &asked.name;
    if hitl_core::lookalike::is_blank(name)
        || name.chars().count() > NAME_CHARS_MAX
        || name.chars().any(char::is_control)
    {
        let message = format!("must have 1 to {NAME_CHARS_MAX} characters on one line");
        broken.push(Violation::new("name", message));
    }
    if asked.roles.is_empty() {
        broken.push(Violation::new("roles", "must name a role at least"));
    }
    if asked.namespaces.len() > NAMESPACES_MAX {
        let message = format!("must be at most {NAMESPACES_MAX}, or \"*\" alone for all");
        broken.push(Violation::new("namespaces", message));
    } else if asked.namespaces != [EVERYWHERE] {
        let wrong = asked.namespaces.iter().find(|name| name.parse::<Namespace>().is_err());
        if let Some(wrong) = wrong {
            let message = format!("must be names of namespaces, or \"*\" alone: {wrong:?} is none");
            broken.push(Violation::new("namespaces", message));
        }
    }
    if !broken.is_empty() {
        return Err(Error::invalid_fields(broken));
    }
    check_ttl(asked.ttl_ms)?;
    Ok(match asked.namespaces.as_slice() {
        [] => vec![Namespace::DEFAULT.to_owned()],
        some => some.to_vec(),
    })
}

fn check_ttl(ttl_ms: Option<i64>) -> Result<(), Error> {
    match ttl_ms {
        Some(ttl_ms) if !TTL_MS.contains(&ttl_ms) => {
            Err(Error::invalid("ttl", "must lie between 1 minute and 10 years"))
        }
        _ => Ok(()),
    }
}
