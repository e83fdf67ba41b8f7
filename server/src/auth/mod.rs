//! Who calls: whoever has a token, whoever holds a link, or whoever reaches a server that asks for neither.

#[cfg(test)]
mod access_doc;
mod bearer;
pub mod codes;
mod draft;
pub(crate) mod key_file;
pub mod link;
pub mod oidc;
pub mod proxy;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod token_file;

pub use bearer::{Access, Asked, Looked, OwnToken, Who};
pub use link::{Grant, LinkKey, Links};
