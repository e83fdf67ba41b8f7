//! What developers run: `cargo xtask gen`, `test`, `bench`, `tidy`.

mod binaries;
mod debian;
mod gen_proto;
mod gen_readmes;
mod packages;
mod process;
mod repo;
mod sdks;
mod test;
mod tidy;
mod tools;
mod tree;

use std::process::ExitCode;

use clap::Parser;

/// Automates the work on hitl.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Command {
    /// Generates the code that stems from the protos, and the READMEs of the SDKs.
    Gen {
        /// Also makes the protos as they stand the ones that later changes must not break.
        #[arg(long)]
        baseline: bool,
    },
    /// Runs all tests, or the suites named, installing what they need.
    Test {
        /// Suites to run; all if none is named.
        suites: Vec<String>,
        /// Has the suites that can go on for long do so.
        #[arg(long)]
        long: bool,
        /// Arguments for `cargo test`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Measures a release build.
    Bench {
        /// Arguments for the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Checks the rules that neither the compiler nor clippy knows.
    Tidy,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Gen { baseline } => generate(baseline).map(|()| true),
        Command::Test { suites, long, arguments } => {
            let length = if long { test::Length::Long } else { test::Length::Short };
            test::test(&suites, length, &arguments)
        }
        Command::Bench { arguments } => binaries::bench(&arguments).map(|()| true),
        Command::Tidy => tidy::tidy(),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The READMEs first: that takes no time, and no network.
fn generate(baseline: bool) -> anyhow::Result<()> {
    gen_readmes::run()?;
    gen_proto::run(baseline)
}
