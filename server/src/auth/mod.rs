//! Who calls: whoever has a token, whoever holds a link, or whoever reaches a server that asks for neither.

#[cfg(test)]
mod access_doc;
mod bearer;
mod draft;
pub(crate) mod key_file;
pub mod link;
pub mod token_file;

pub use bearer::{Access, Looked, OwnToken, Who};
pub use link::{Grant, LinkKey, Links};
