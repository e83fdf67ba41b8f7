//! Who may do what: for now, whoever holds a link may answer its event.

mod draft;
mod key_file;
pub mod link;

pub use link::{Grant, LinkKey, Links};
