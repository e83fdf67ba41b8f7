//! The `hitl.v1` API in Rust: messages, client and server stubs, the descriptors that reflection serves, and how both
//! sides show text that others wrote.
//!
//! `gen/` is generated from `hitl/v1/*.proto`, and from gRPC's protocol of health in `server/proto`, by `cargo xtask
//! gen` and checked in; the protos are the documentation.

mod debug;
mod deciding;
mod evidence;
pub mod visible;

/// Version 1 of the API.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    rustdoc::all,
    reason = "generated code"
)]
pub mod v1 {
    include!("gen/hitl.v1.rs");
}

/// Version 1 of gRPC's protocol of health.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    rustdoc::all,
    reason = "generated code"
)]
pub mod health {
    include!("gen/grpc.health.v1.rs");
}

/// The compiled protocol of health with its comments, as an encoded `google.protobuf.FileDescriptorSet`.
pub const HEALTH_FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/health.binpb");

/// The compiled protos with their comments, as an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptor.binpb");

/// The domain of every `google.rpc.ErrorInfo` that hitl sends.
pub const ERROR_DOMAIN: &str = "hitl.v1";
