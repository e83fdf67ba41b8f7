//! The rules of hitl, and nothing else: what an event is, which answers fit it, and who wins.
//!
//! A task asks with a [`Spec`]; [`create()`] checks it and fixes its deadline in a [`Request`].
//! Everything that can happen afterwards is a [`Command`], and [`decide()`] is the one function
//! that says what a command does to an [`Event`]. Nothing here waits, reads, writes, tells the time
//! or rolls dice, so nothing here can fail for reasons outside its arguments: the time comes in as
//! an argument, and every failure is a [`Rejection`] that the caller can mend.

pub mod assignees;
pub mod audit;
pub mod authorize;
pub mod choice;
pub mod create;
pub mod decide;
pub mod event;
pub mod evidence;
pub mod format;
pub mod id;
pub mod input;
pub mod limits;
pub mod link;
pub mod literal;
pub mod lookalike;
mod number;
pub mod parse;
mod pattern;
pub mod person;
pub mod principal;
pub mod receipt;
pub mod rejection;
pub mod reminder;
pub mod review;
pub mod rights;
pub mod schema;
mod schema_cache;
mod str_input;
pub mod strict_json;
pub mod tell;
pub mod thread;
pub mod time;
pub mod token;
pub mod typed;
pub mod value;
pub mod votes;
pub mod web_address;
pub mod weight;

pub use assignees::{Assignee, Quorum};
pub use audit::{Actor, AuditEntry, AuditFilter, AuditKind, Audited};
pub use authorize::{Action, Denied};
pub use choice::{ChoiceInput, ChoiceOption};
pub use create::{Expiration, Spec, create};
pub use decide::{Answer, Command, Decision, Identity, decide};
pub use event::{
    Channel, Event, OnTimeout, Outcome, PromptFormat, Request, Responder, Response, State,
};
pub use evidence::{Content, Diff, Evidence, Fact, Risk};
pub use id::{EventId, EventKey, Namespace};
pub use input::{BoolInput, FloatInput, Input, IntInput, ObjectInput, StrFormat, StrInput};
pub use person::Person;
pub use principal::{
    CredentialKind, Known, KnownKind, LinkHolder, Namespaces, Principal, Proof, Role, Roles,
};
pub use rejection::{Rejection, Violation};
pub use reminder::Alarms;
pub use review::{ReviewDecision, ReviewInput, ReviewValue};
pub use rights::{Right, Rights};
pub use tell::{ChannelId, OnEnd, Rule, Told};
pub use thread::{Act, Claim, Roster, Standing, Thread, ThreadEntry, check_act};
pub use time::Timestamp;
pub use token::{TokenId, TokenText};
pub use value::Value;
pub use votes::{Ballot, Deliberation, Vote, agreed, tally};
pub use web_address::WebAddress;
pub use weight::Weight;
