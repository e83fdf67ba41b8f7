//! Who calls: whoever has a token, whoever holds a link, or whoever reaches a server that asks for neither.

#[cfg(test)]
mod access_doc;
mod bearer;
pub mod certificate;
pub mod codes;
mod draft;
pub(crate) mod key_file;
pub mod link;
pub mod link_key;
pub mod oidc;
pub mod proxy;
pub mod receipt_key;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod token_file;

use std::path::{Path, PathBuf};

pub use bearer::{Access, Asked, Looked, OwnToken, Who};
pub use link::{LinkText, Links};
pub use link_key::{LinkKey, LinkKeys};

/// The file with the key of this `kind` of an embedded store. It lies beside the store and not in it, so that a copy of
/// the store does not let its holder answer or sign.
pub fn beside(directory: &Path, kind: &str) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{kind}.key"));
    directory.with_file_name(name)
}
