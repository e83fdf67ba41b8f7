//! Lets a program stop and ask a person, however long that takes and whatever crashes in between.
//!
//! A program creates an [`Event`] (a prompt, the type of answer it wants, a timeout), waits, and
//! gets the typed value:
//!
//! ```no_run
//! # async fn example() -> hitl::Result<()> {
//! let client = hitl::Client::from_env()?;
//! let event = client
//!     .event::<i64>("proceed", "What should I add to x?")
//!     .min(0)
//!     .create()
//!     .await?;
//! println!("answer at {}", event.form_url());
//! let x = 1 + event.wait().await?;
//! # Ok(())
//! # }
//! ```
//!
//! - **No server needed first.** Unless an endpoint is set in [`Config`] or `HITL_ENDPOINT`, the
//!   local server is used, which `hitl up` finds or starts at each connect; all programs of a user share
//!   it, and it ends itself when idle with nothing pending.
//! - **Crashes change nothing.** With a run id (in [`Config`] or `HITL_RUN_ID`) the n-th event of a
//!   name gets the same idempotency key each time the program runs, so a program that crashed and
//!   starts again from its beginning gets the same events and the answers already given. A loop that
//!   asks twice still asks twice. The count is kept per process, namespace, run and name, shared by
//!   every client in the process; what an event of a run asks must therefore not vary from start to
//!   start (no clock in the prompt), and events of one name must be created in a fixed order.
//! - **An attempt that is repeated in the same process** is a [`Run`] of its own, which counts from the
//!   beginning: `client.run("job-9")?.within(async { … }).await`.
//! - **Waits go on** through lost connections and server restarts until the event ends. Drop the
//!   future to stop waiting; the event stays.
//!
//! Everything here is async on tokio; [`blocking`] is the same for programs that are not.

mod admin;
mod attach;
pub mod blocking;
mod bounds;
mod channel;
mod client;
mod config;
mod create;
mod credential;
mod deciding;
mod endpoint;
mod error;
mod event;
mod events;
mod headers;
mod interceptor;
mod key;
mod limits;
mod link;
mod local;
mod log;
mod many;
mod object;
mod program;
mod proxy;
mod receipt;
mod retry;
mod review;
mod run;
mod status;
pub mod testing;
mod tls;
mod tls_trouble;
mod told;
mod tunnel;
mod valid;
mod value;
mod waits;
mod watch;

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod call_tests;
#[cfg(test)]
mod local_tests;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tls_tests;
#[cfg(test)]
mod wait_tests;

pub use admin::AuditStream;
pub use client::Client;
pub use config::Config;
pub use create::EventBuilder;
pub use credential::Token;
pub use error::{Error, ErrorKind, FieldViolation, Result};
pub use event::{Details, Event};
pub use events::Events;
/// The messages of the `hitl.v1` API, for untyped use.
pub use hitl_proto::v1;
/// An answer in one of the forms that [`Client::answer`] takes: a typed value, JSON, or text.
pub use hitl_proto::v1::answer_event_request::Answer;
/// Receipts of ended events, and the keys that verify them.
pub use hitl_receipt::{KeySet, Receipt, Statement, VerifyError};
pub use link::Link;
pub use object::Object;
pub use review::{Decision, Review};
pub use run::Run;
pub use tls::Pem;
pub use value::{Choice, Choices, DataType};
pub use watch::{Change, Watch};

/// Asks one question and waits for its answer, with everything else left at its default.
///
/// Prints where to answer to stderr, as [`Event::wait`] does.
///
/// # Errors
/// Those of [`EventBuilder::create`] and [`Event::wait`].
///
/// ```no_run
/// # async fn example() -> hitl::Result<()> {
/// if hitl::ask::<bool>("approve", "Ship it?").await? { /* ship it */ }
/// # Ok(())
/// # }
/// ```
pub async fn ask<T: DataType>(name: &str, prompt: &str) -> Result<T> {
    Client::from_env()?.event::<T>(name, prompt).create().await?.wait().await
}
