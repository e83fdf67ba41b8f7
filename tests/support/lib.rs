//! What every test of the real binary needs: to start one, to end one, to find one, and to judge what its callers saw.

pub mod board;
#[allow(missing_docs, reason = "the parts of what callers saw are named after what they are")]
pub mod checker;
mod config;
pub mod findings;
#[allow(missing_docs, reason = "the parts of what callers saw are named after what they are")]
pub mod history;
pub mod http;
pub mod load;
pub mod object_server;
pub mod planted;
pub mod proxy;
pub mod server;
pub mod signal;
pub mod slack;
pub mod stores;
pub mod tools;
pub mod view;

pub use config::free_port;
/// Certificates for tests.
pub use hitl_testing::certificates as tls;
