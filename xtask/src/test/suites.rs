//! What `cargo xtask test` runs: the one list of suites. Another one is another line here.

use crate::binaries::BINARIES;
use crate::tools::{BROWSER_SCRIPTS, BUF, CHROMIUM_BROWSER, GRPCURL, Need};

/// Tests that pass or fail together in the summary.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// What must be in place first. A suite without it has failed: a test not run proves nothing.
    pub(crate) needs: &'static [&'static Need],
    /// Commands, all of which are run, even after one has failed.
    pub(crate) steps: &'static [Step],
}

/// One command of a suite, run at the top of the repository.
pub(crate) enum Step {
    /// Counts as one check.
    Check(&'static [&'static str]),
    /// `cargo test`, with the developer's own arguments after these; its tests are counted.
    CargoTest(&'static [&'static str]),
}

use Step::{CargoTest, Check};

/// In the order they run: what is quick and fails often comes first.
pub(crate) const SUITES: &[Suite] = &[
    suite("fmt", &[], &[Check(&["cargo", "fmt", "--all", "--check"])]),
    suite("clippy", &[], &[Check(CLIPPY)]),
    suite("tidy", &[], &[Check(&["cargo", "xtask", "tidy"])]),
    suite(
        "proto",
        &[&BUF],
        &[
            Check(&["buf", "lint"]),
            Check(&["buf", "format", "--diff", "--exit-code"]),
            Check(&["buf", "breaking", "--against", "proto/baseline.binpb"]),
        ],
    ),
    suite("unit", &[], &[CargoTest(&["--workspace", "--exclude", "hitl-tests"])]),
    suite("docs", &[], &[Check(DOCS)]),
    suite(
        "e2e",
        &[&BINARIES, &GRPCURL, &CHROMIUM_BROWSER, &BROWSER_SCRIPTS],
        &[CargoTest(&["-p", "hitl-tests", "--test", "e2e"])],
    ),
    suite("crash", &[&BINARIES], &[CargoTest(&["-p", "hitl-tests", "--lib", "--test", "crash"])]),
];

const CLIPPY: &[&str] =
    &["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];

/// The flags go by `--config`, so that what is shown can be repeated by hand.
const DOCS: &[&str] = &[
    "cargo",
    "doc",
    "--workspace",
    "--no-deps",
    "--config",
    "build.rustdocflags=['-D', 'warnings']",
];

const fn suite(
    name: &'static str,
    needs: &'static [&'static Need],
    steps: &'static [Step],
) -> Suite {
    Suite { name, needs, steps }
}
