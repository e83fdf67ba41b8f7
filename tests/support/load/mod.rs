//! What clients do to a service that has trouble: seeded calls and waits, all of which are recorded, and in the end a
//! reading back of everything.

pub mod audit;
pub mod call;
pub mod client;
pub mod lines;
pub mod shared;
pub mod wait;
