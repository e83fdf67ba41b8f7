//! The SDKs, and how the programs of each are started.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// One SDK.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) name: &'static str,
    /// The script that starts them, from the top of the repository; without it they were built with these tests.
    run: Option<&'static str>,
}

/// A program of an SDK.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Program {
    Adapter,
    Ask,
    Wait,
    List,
}

/// All of them, in the order of the matrix.
pub(crate) const LANGUAGES: &[Language] = &[
    Language { name: "rust", run: None },
    Language { name: "python", run: Some("sdk/python/run") },
    Language { name: "typescript", run: Some("sdk/typescript/run") },
    Language { name: "go", run: Some("sdk/go/run") },
    Language { name: "java", run: Some("sdk/java/run") },
];

impl Language {
    /// `program`, to be started, which knows nothing of the developer's own server.
    pub(crate) fn command(&self, program: Program) -> Command {
        let mut command = match self.run {
            Some(run) => Command::new(top().join(run)),
            None => Command::new(program.built()),
        };
        command.args(self.run.map(|_| program.name())).kill_on_drop(true);
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.to_string_lossy().starts_with("HITL_")) {
            command.env_remove(name);
        }
        command
    }
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Adapter => "conformance",
            Self::Ask => "examples/ask",
            Self::Wait => "examples/wait",
            Self::List => "examples/list",
        }
    }

    fn built(self) -> &'static str {
        match self {
            Self::Adapter => env!("CARGO_BIN_EXE_conformance-rust"),
            Self::Ask => env!("CARGO_BIN_EXE_example-ask"),
            Self::Wait => env!("CARGO_BIN_EXE_example-wait"),
            Self::List => env!("CARGO_BIN_EXE_example-list"),
        }
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a repository").into()
}
