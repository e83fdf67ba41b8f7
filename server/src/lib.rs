//! hitl: a durable human-in-the-loop service.
//!
//! This crate is the transports, the pages, the command line and the wiring: `app` and `cli` stand on
//! `grpc`, `http` and `net`, those on `api`, and that on the crates `hitl_service`, `hitl_store` and
//! `hitl_core`. `ARCHITECTURE.md` has the whole picture.

mod access;
pub mod admission;
pub mod api;
pub mod app;
pub mod auth;
pub mod budget;
pub mod channels;
pub mod cli;
pub mod config;
mod diff;
mod front;
pub mod grpc;
pub mod http;
pub mod json;
mod listen;
pub mod local;
pub mod log;
mod mcp;
pub mod net;
pub mod size;
pub mod threads;
