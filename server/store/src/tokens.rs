//! Tokens in the store: each is written once, and so is what ends it.
//!
//! The secret is not there: of 32 random bytes a hash is as good, and whoever reads the store gains none.

use hitl_core::{Role, Timestamp, TokenId};
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::events::EventStore;
use crate::keys;
use crate::objects::CreateOnce;
use crate::record::{self, Nonce, VERSION};

/// A token as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredToken {
    /// Which token.
    pub id: TokenId,
    /// The first of the tokens that were made in each other's stead: the id of the principal.
    pub principal: TokenId,
    /// What it is called.
    pub name: String,
    /// What its holder may do.
    pub roles: Vec<Role>,
    /// Where; `*` alone is everywhere.
    pub namespaces: Vec<String>,
    /// The SHA-256 of the secret, in hexadecimal digits.
    pub secret_sha256: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<Timestamp>,
}

/// A token, and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenState {
    /// As it was made.
    pub token: StoredToken,
    /// When it was revoked.
    pub revoke_time: Option<Timestamp>,
    /// What was made in its stead.
    pub rotated: Option<Rotated>,
}

/// That another token was made in the stead of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// The other one.
    pub successor: TokenId,
    /// From when on it alone is good.
    pub time: Timestamp,
}

/// `tokens/{id}/token.json`
#[derive(Debug, Serialize, Deserialize)]
struct TokenRecord {
    version: u32,
    nonce: Nonce,
    token: StoredToken,
}

/// `tokens/{id}/revoked.json`
#[derive(Debug, Serialize, Deserialize)]
struct RevokedRecord {
    version: u32,
    nonce: Nonce,
    time: Timestamp,
}

/// `tokens/{id}/rotated.json`
#[derive(Debug, Serialize, Deserialize)]
struct RotatedRecord {
    version: u32,
    nonce: Nonce,
    rotated: Rotated,
}

record::of_no_event!(TokenRecord, RevokedRecord, RotatedRecord);

impl TokenState {
    /// From when on it is not good any more, if that is known yet.
    pub fn end(&self) -> Option<Timestamp> {
        let rotated = self.rotated.as_ref().map(|rotated| rotated.time);
        [self.token.expire_time, self.revoke_time, rotated].into_iter().flatten().min()
    }
}

impl EventStore {
    /// Records `token`, durably.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown; [`Error::RecordUnreadable`] if another has its id, which
    /// is random.
    pub async fn create_token(&self, token: StoredToken, nonce: Nonce) -> Result<(), Error> {
        let path = keys::token(token.id, "token");
        let bytes = record::encode(&TokenRecord { version: VERSION, nonce, token });
        match self.objects.create_once::<TokenRecord>(&path, nonce, bytes).await? {
            CreateOnce::Ours => Ok(()),
            CreateOnce::Theirs(_) => Err(unreadable(&path, "another token has this id")),
        }
    }

    /// The token with this id, if there is one, and what has become of it.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn token(&self, id: TokenId) -> Result<Option<TokenState>, Error> {
        let path = keys::token(id, "token");
        // All at once, also of a token that is not there: the time that it takes tells nobody which ids there are.
        let (token, (revoke_time, rotated)) =
            tokio::try_join!(self.objects.read::<TokenRecord>(&path), self.token_end(id))?;
        let Some(TokenRecord { token, .. }) = token else { return Ok(None) };
        // One that was copied to another key must not count as that one.
        if token.id != id {
            return Err(unreadable(&path, "it is a record of another token"));
        }
        Ok(Some(TokenState { token, revoke_time, rotated }))
    }

    /// What has become of `token`, which never changes itself.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn token_again(&self, token: StoredToken) -> Result<TokenState, Error> {
        let (revoke_time, rotated) = self.token_end(token.id).await?;
        Ok(TokenState { token, revoke_time, rotated })
    }

    /// When the token with this id was revoked, and what was made in its stead.
    async fn token_end(&self, id: TokenId) -> Result<(Option<Timestamp>, Option<Rotated>), Error> {
        let [revoked, rotated] = ["revoked", "rotated"].map(|record| keys::token(id, record));
        let (revoked, rotated) = tokio::try_join!(
            self.objects.read::<RevokedRecord>(&revoked),
            self.objects.read::<RotatedRecord>(&rotated),
        )?;
        Ok((revoked.map(|record| record.time), rotated.map(|record| record.rotated)))
    }

    /// Ends the token with this id at `time`, unless it was ended so before.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown, and [`Error::RecordUnreadable`].
    pub async fn revoke_token(
        &self,
        id: TokenId,
        time: Timestamp,
        nonce: Nonce,
    ) -> Result<(), Error> {
        let bytes = record::encode(&RevokedRecord { version: VERSION, nonce, time });
        let path = keys::token(id, "revoked");
        self.objects.create_once::<RevokedRecord>(&path, nonce, bytes).await.map(drop)
    }

    /// Has another token be in the stead of the one with this id; whether none was before.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown, and [`Error::RecordUnreadable`].
    pub async fn rotate_token(
        &self,
        id: TokenId,
        rotated: Rotated,
        nonce: Nonce,
    ) -> Result<bool, Error> {
        let bytes = record::encode(&RotatedRecord { version: VERSION, nonce, rotated });
        let path = keys::token(id, "rotated");
        let created = self.objects.create_once::<RotatedRecord>(&path, nonce, bytes).await?;
        Ok(matches!(created, CreateOnce::Ours))
    }

    /// The ids of all tokens, in their order.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`], and [`Error::RecordUnreadable`] if the listing is damaged.
    pub async fn token_ids(&self) -> Result<Vec<TokenId>, Error> {
        let listed = self.objects.children(&keys::tokens()).await?;
        if let Some(damaged) = listed.damaged.first() {
            return Err(Error::RecordUnreadable {
                path: damaged.clone(),
                message: "tokens may be missing of the listing".to_owned(),
            });
        }
        let mut ids: Vec<_> = listed.found.iter().filter_map(keys::token_id).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

fn unreadable(path: &Path, message: &str) -> Error {
    Error::RecordUnreadable { path: path.to_string(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A golden file: it may be added to, never changed.
    const TOKEN_V1: &str = include_str!("golden/token-v1.json");

    #[test]
    fn records_of_tokens_are_read_and_written_the_same() {
        let path = keys::token(TokenId::from_bytes([0xab; 8]), "token");
        assert_eq!(path.as_ref(), "tokens/abababababababab/token.json");
        let read: TokenRecord = record::decode(&path, TOKEN_V1.as_bytes()).unwrap();
        assert_eq!(keys::token_id(&keys::parent(&path)), Some(read.token.id));
        let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        assert_eq!(json(&record::encode(&read)), json(TOKEN_V1.as_bytes()));
    }
}
