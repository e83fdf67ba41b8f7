//! Who calls: whoever reaches this server, which asks for no credential, or whoever holds a link.

mod draft;
mod key_file;
pub mod link;

pub use link::{Grant, LinkKey, Links};
