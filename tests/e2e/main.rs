//! The real `hitl` from outside: every promise of the API, the form, the command line and the process, in use.
//!
//! Tests share one server unless they kill it, fill it or set it up in their own way. Nothing
//! sleeps to wait for something; whoever waits, waits for the thing itself, and not for ever.

mod failure;
mod kinds;
mod samples;
mod shell;
mod site;
mod web;

mod access;
mod answers;
mod audit;
mod browser;
mod buckets;
mod canary;
mod commands;
mod connect;
mod copies;
mod creates;
mod deciding;
mod endings;
mod foreign;
mod forms;
mod grpcurl;
mod legacy;
mod limits;
mod links;
mod lists;
mod origins;
mod pages_listen;
mod processes;
mod quotas;
mod races;
mod receipts;
mod refusals;
mod retention;
mod reviews;
mod stores;
mod surface;
mod tasks;
mod test_server;
mod tls;
mod tls_reload;
mod tokens;
mod up;
mod users;
mod waits;
mod watches;
