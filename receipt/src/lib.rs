//! Signed receipts of how events ended: made by servers, verified by anybody without one.
//!
//! What a receipt says is a text that the server makes of the event; here it is bytes. Its SHA-256, after a prefix that
//! keeps it apart from everything else that could be signed, is signed with Ed25519. The key has the name that its JWK
//! thumbprint (RFC 7638) gives it, so that nobody can put another key under its name.

mod key;
mod keys;
mod receipt;
mod statement;

pub use key::{PublicKey, SigningKey};
pub use keys::{KEYS_MAX, KeySet, KeySetError};
pub use receipt::{ALGORITHM, NotAReceipt, Receipt, Seal, VerifyError};
pub use statement::Statement;
