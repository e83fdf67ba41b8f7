//! For the tests of programs that ask: a throw-away server, and a person who does as a test says.
//!
//! ```no_run
//! # async fn example() -> hitl::Result<()> {
//! let server = hitl::testing::TestServer::start().await?;
//! server.human().answer("approve", true);
//! let event = server.client().event::<bool>("approve", "Ship it?").create().await?;
//! assert!(event.wait().await?);
//! server.human().check().await;
//! # Ok(())
//! # }
//! ```
//!
//! The time of such a server passes when it is told to, so no test waits for a deadline.

mod human;
mod server;
mod time;

pub use human::{Act, Human};
pub use server::TestServer;
