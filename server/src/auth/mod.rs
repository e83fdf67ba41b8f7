//! Who may do what: for now, whoever holds a link may answer its event.

pub mod link;

pub use link::{Grant, LinkKey, Links};
