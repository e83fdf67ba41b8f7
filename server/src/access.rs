//! Whom a server lets in, by what its flags say.

use std::sync::Arc;

use anyhow::Context;
use hitl_core::{TokenId, TokenText};
use hitl_service::Service;
use hitl_store::random::{self, SystemRandom};

use crate::auth::oidc::Oidc;
use crate::auth::{Access, OwnToken, token_file};
use crate::config::ServeArgs;

/// Whoever has a good token, unless the server was told to ask for none. `local_token` is that of the owner of a local
/// server; JWTs of the `issuer` are as good as tokens, and so are
/// certificates of clients that have a rule.
///
/// # Errors
/// The file with the admin's token cannot be used, or the store cannot be read.
pub(crate) async fn access(
    args: &ServeArgs,
    local_token: Option<&str>,
    service: &Service,
    issuer: Option<Arc<Oidc>>,
) -> anyhow::Result<Access> {
    if args.insecure {
        return Ok(Access::Open);
    }
    let mut own: Vec<_> =
        local_token.map(|token| OwnToken::of_owner(token.to_owned())).into_iter().collect();
    if let Some(file) = &args.admin_token_file {
        let token = token_file::read(file);
        let token = token.with_context(|| format!("cannot use the token in {}", file.display()))?;
        own.push(OwnToken::of_admin(token));
    }
    let has_others = issuer.is_some() || !args.tls.tls_client_roles.is_empty();
    if own.is_empty() && !has_others && !service.has_tokens().await? {
        tracing::warn!(
            "nobody has a token for this server yet, so nobody can call it. Give --admin-token-file FILE; or make a \
             token with `hitl token create NAME --role admin --namespace '*' --store STORE`, while no server has STORE \
             open if that is a directory; or give --insecure to ask nobody for one"
        );
    }
    let access = Access::closed(service.clone(), own, issuer);
    Ok(access.or_by_certificate(args.tls.tls_client_roles.clone()))
}

/// A token that nobody has had before.
pub(crate) fn new_token() -> String {
    let id = TokenId::from_bytes(random::bytes(&SystemRandom));
    TokenText { id, secret: random::bytes(&SystemRandom) }.reveal()
}
