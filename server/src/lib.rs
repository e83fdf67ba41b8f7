//! hitl: a durable human-in-the-loop service.
//!
//! Imports go one way: `app` and `cli` → `grpc`, `http`, `net` → `api` → `service` → `timers`,
//! `waiters` → `store` → `hitl_core`. `auth`, `clock`, `config`, `error`, `json`, `local` and `random`
//! are leaves. `ARCHITECTURE.md` has the whole picture.

pub mod api;
pub mod app;
pub mod auth;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod config;
pub mod error;
pub mod grpc;
pub mod http;
pub mod json;
pub mod local;
pub mod log;
pub mod net;
pub mod random;
pub mod service;
pub mod size;
pub mod store;
#[cfg(test)]
mod testing;
pub mod timers;
pub mod waiters;
