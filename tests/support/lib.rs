//! What every test of the real binary needs: to start one, to end one, and to find one.

mod config;
pub mod server;
pub mod tools;
