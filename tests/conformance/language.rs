//! The SDKs, and how the adapter of each is started.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// One SDK.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) name: &'static str,
    /// The program, from the top of the repository; `None` is the one built with these tests.
    program: Option<&'static str>,
}

/// All of them, in the order of the matrix.
pub(crate) const LANGUAGES: &[Language] = &[
    Language { name: "rust", program: None },
    Language { name: "python", program: Some("sdk/python/conformance/run") },
    Language { name: "typescript", program: Some("sdk/typescript/conformance/run") },
    Language { name: "go", program: Some("sdk/go/conformance/run") },
    Language { name: "java", program: Some("sdk/java/conformance/run") },
];

impl Language {
    /// The adapter, to be started.
    pub(crate) fn adapter(&self) -> Command {
        match self.program {
            Some(program) => Command::new(top().join(program)),
            None => Command::new(env!("CARGO_BIN_EXE_conformance-rust")),
        }
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a repository").into()
}
