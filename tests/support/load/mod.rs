//! What clients do to a service that has trouble: seeded calls, waits and watches, all of which are recorded, and in
//! the end a reading back of everything. They are the same whatever the [`target`] is: [`lines`] to servers, or
//! replicas within a simulation.

pub mod audit;
mod call;
pub mod client;
pub mod common;
pub mod lines;
pub mod passing;
pub mod phase;
mod shared;
mod stream;
pub mod tally;
pub mod target;
pub mod wait;
pub mod watch;
