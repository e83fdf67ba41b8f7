//! Who may import whom: the directions that keep the server's parts apart, as data.

/// A module of the server, and the sibling modules it may name.
pub(crate) type Row = (&'static str, &'static [&'static str]);

/// main → cli, app → {grpc, http} → api → service → {timers, waiters} → store → core.
///
/// Below them are leaves, which name at most each other. Only the top reads `config`, which takes
/// the store's URL already parsed. Tests may name what they like.
pub(crate) const DIRECTIONS: &[Row] = &[
    ("lib", &[]),
    ("main", &["app", "cli", "config"]),
    ("cli", &["app", "clock", "config", "error", "json", "local", "log", "store"]),
    (
        "app",
        &[
            "api", "auth", "budget", "clock", "config", "error", "grpc", "http", "local", "net",
            "random", "service", "store", "timers", "waiters",
        ],
    ),
    ("grpc", &["api", "auth", "clock", "error", "net", "service"]),
    ("http", &["api", "auth", "budget", "clock", "error", "json", "net", "service"]),
    ("api", &["auth", "budget", "clock", "error", "json", "random", "service"]),
    ("service", &["auth", "clock", "error", "random", "store", "timers", "waiters"]),
    ("timers", &["clock", "error", "random", "store"]),
    ("waiters", &["clock", "error", "random", "store"]),
    ("store", &["clock", "error", "random"]),
    ("auth", &["clock", "error", "random"]),
    ("json", &["error"]),
    ("testing", &["clock", "random", "store"]),
    ("config", &["error", "local", "size", "store"]),
    ("budget", &[]),
    ("error", &["budget"]),
    ("clock", &[]),
    ("local", &[]),
    ("log", &[]),
    ("net", &["budget"]),
    ("random", &[]),
    ("size", &[]),
];

/// A crate with its family (`tonic` and `tonic_types`), and the server modules that may name it.
pub(crate) const CRATES: &[Row] = &[
    ("askama", &["http"]),
    ("axum", &["http"]),
    ("fjall", &[]),
    ("hitl_embedded", &["store"]),
    ("hitl_proto", &["api", "cli", "grpc", "http", "json"]),
    ("hyper", &["net"]),
    ("object_store", &["store"]),
    ("tonic", &["grpc"]),
];

/// What would let the rules of the domain fail, wait, or differ from run to run.
pub(crate) const IMPURE: &[&str] = &[
    "rand",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
];
