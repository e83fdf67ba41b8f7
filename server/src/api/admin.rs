//! `AdminService`: who may call.

use std::collections::BTreeSet;

use hitl_core::{Namespaces, Principal, Rights, Role, Roles, TokenId};
use hitl_proto::v1;
use hitl_service::{Error, Made, NewToken, Session, TokenPage};
use hitl_store::TokenState;

use super::{Api, Caller, from_proto, to_proto};

/// All namespaces.
const EVERYWHERE: &str = "*";

impl Api {
    /// `AdminService.CreateToken`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn create_token(
        &self,
        request: v1::CreateTokenRequest,
        caller: &Caller,
    ) -> Result<v1::CreateTokenResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        create(&self.session(caller), request).await
    }

    /// `AdminService.ListTokens`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn list_tokens(
        &self,
        request: v1::ListTokensRequest,
        caller: &Caller,
    ) -> Result<v1::ListTokensResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        list(&self.session(caller), request).await
    }

    /// `AdminService.RevokeToken`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn revoke_token(
        &self,
        request: v1::RevokeTokenRequest,
        caller: &Caller,
    ) -> Result<v1::RevokeTokenResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        revoke(&self.session(caller), request).await
    }

    /// `AdminService.RotateToken`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn rotate_token(
        &self,
        request: v1::RotateTokenRequest,
        caller: &Caller,
    ) -> Result<v1::RotateTokenResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        rotate(&self.session(caller), request).await
    }

    /// `AdminService.WhoAmI`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub fn who_am_i(&self, caller: &Caller) -> Result<v1::WhoAmIResponse, Error> {
        let session = self.session(caller);
        let principal = session.who_am_i()?;
        let proof = principal.proof();
        let (roles, namespaces, groups) = match principal {
            Principal::Known(known) => {
                let (roles, namespaces) = whole(&known.rights);
                (roles, namespaces, known.groups.clone())
            }
            Principal::Anyone | Principal::Owner | Principal::Link(_) => {
                (Role::ALL.to_vec(), vec![EVERYWHERE.to_owned()], Vec::new())
            }
        };
        Ok(v1::WhoAmIResponse {
            known_by: to_proto::credential_kind(proof.known_by).into(),
            principal: proof.name,
            token_id: principal.token_id().map(|id| id.to_string()).unwrap_or_default(),
            roles: roles.into_iter().map(|role| to_proto::role(role).into()).collect(),
            namespaces,
            groups,
        })
    }
}

/// Makes the token that `request` asks for, as `session` may.
pub(crate) async fn create(
    session: &Session,
    request: v1::CreateTokenRequest,
) -> Result<v1::CreateTokenResponse, Error> {
    let asked = NewToken {
        name: request.name,
        roles: request.roles.into_iter().map(role).collect::<Result<_, _>>()?,
        namespaces: request.namespaces,
        ttl_ms: from_proto::duration_ms("ttl", request.ttl)?,
    };
    let Made { token: made, text } = session.create_token(asked).await?;
    Ok(v1::CreateTokenResponse { token: Some(token(&made)), secret: text.reveal() })
}

/// A page of the tokens.
pub(crate) async fn list(
    session: &Session,
    request: v1::ListTokensRequest,
) -> Result<v1::ListTokensResponse, Error> {
    let size = from_proto::page_size(request.page_size)?;
    let after = match request.page_token.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            Error::invalid("page_token", "must be the next_page_token of an earlier page")
        })?),
    };
    let TokenPage { tokens, next_after } = session.list_tokens(after, size).await?;
    Ok(v1::ListTokensResponse {
        tokens: tokens.iter().map(token).collect(),
        next_page_token: next_after.map(|id| id.to_string()).unwrap_or_default(),
    })
}

/// Ends a token for good.
pub(crate) async fn revoke(
    session: &Session,
    request: v1::RevokeTokenRequest,
) -> Result<v1::RevokeTokenResponse, Error> {
    let revoked = session.revoke_token(id(&request.token_id)?).await?;
    Ok(v1::RevokeTokenResponse { token: Some(token(&revoked)) })
}

/// Makes a token in the stead of another.
pub(crate) async fn rotate(
    session: &Session,
    request: v1::RotateTokenRequest,
) -> Result<v1::RotateTokenResponse, Error> {
    let id = id(&request.token_id)?;
    let overlap_ms = from_proto::duration_ms("overlap", request.overlap)?.unwrap_or(0);
    let ttl_ms = from_proto::duration_ms("ttl", request.ttl)?;
    let Made { token: made, text } = session.rotate_token(id, overlap_ms, ttl_ms).await?;
    Ok(v1::RotateTokenResponse { token: Some(token(&made)), secret: text.reveal() })
}

fn id(text: &str) -> Result<TokenId, Error> {
    text.parse().map_err(|error: hitl_core::token::ParseTokenIdError| {
        Error::invalid("token_id", error.to_string())
    })
}

fn role(role: i32) -> Result<Role, Error> {
    Ok(match v1::Role::try_from(role) {
        Ok(v1::Role::Requester) => Role::Requester,
        Ok(v1::Role::Responder) => Role::Responder,
        Ok(v1::Role::Notifier) => Role::Notifier,
        Ok(v1::Role::Auditor) => Role::Auditor,
        Ok(v1::Role::Admin) => Role::Admin,
        Ok(v1::Role::Unspecified) | Err(_) => {
            return Err(Error::invalid("roles", "must be known roles"));
        }
    })
}

fn token(state: &TokenState) -> v1::Token {
    let token = &state.token;
    let rotated = state.rotated.as_ref();
    let end = state.revoke_time.into_iter().chain(rotated.map(|rotated| rotated.time)).min();
    v1::Token {
        id: token.id.to_string(),
        name: token.name.clone(),
        roles: token.roles.iter().map(|role| to_proto::role(*role).into()).collect(),
        namespaces: token.namespaces.clone(),
        create_time: Some(to_proto::timestamp(token.create_time)),
        expire_time: token.expire_time.map(to_proto::timestamp),
        revoke_time: end.map(to_proto::timestamp),
        successor_id: rotated.map(|rotated| rotated.successor.to_string()).unwrap_or_default(),
    }
}

/// All roles that somebody has somewhere, and all namespaces where they have one.
fn whole(rights: &Rights) -> (Vec<Role>, Vec<String>) {
    let roles: Roles = rights.iter().flat_map(|right| right.roles.iter()).collect();
    let mut namespaces = BTreeSet::new();
    for right in rights.iter() {
        match &right.namespaces {
            Namespaces::All => return (roles.iter().collect(), vec![EVERYWHERE.to_owned()]),
            Namespaces::Only(some) => namespaces.extend(some.iter().map(ToString::to_string)),
        }
    }
    (roles.iter().collect(), namespaces.into_iter().collect())
}
