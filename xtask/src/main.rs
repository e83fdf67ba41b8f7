//! What developers run: `cargo xtask gen`, `test`, `bench`, `pictures`, `tidy`, `supply`, `lock`, `sbom`, `dist`,
//! `site`.

mod binaries;
mod debian;
mod dist;
mod finding;
mod fuzz;
mod gen_proto;
mod gen_readmes;
mod lock;
mod packages;
mod pictures;
mod process;
mod repo;
mod sbom;
mod sdks;
mod site;
mod supply;
mod test;
mod tidy;
mod tools;
mod tree;

use std::path::PathBuf;
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
    /// Makes the pictures of the documentation anew, in a real browser.
    Pictures,
    /// Checks the rules that neither the compiler nor clippy knows.
    Tidy,
    /// Checks that what others wrote is fixed by locks, in no version that is known to be bad.
    Supply,
    /// Fixes anew what is installed from npm and PyPI.
    Lock,
    /// Writes the bill of materials of the binary, as CycloneDX, to standard output.
    Sbom {
        /// Compares it with what a build is made of instead.
        #[arg(long)]
        check: bool,
    },
    /// Makes the packages for this platform: a wheel, packages for npm, a container image and a Debian package.
    Dist {
        /// Of wheel, npm, image, debian; all if none is named.
        kinds: Vec<String>,
        /// The profile of cargo in which the binary is built.
        #[arg(long, default_value = "dist")]
        profile: String,
        /// A binary that is there already, instead of one that is built.
        #[arg(long, conflicts_with = "profile")]
        binary: Option<PathBuf>,
    },
    /// Makes the documentation site in `target/site`.
    Site,
    /// Feeds what strangers can send with what libFuzzer makes up.
    Fuzz {
        /// Targets; all if none is named.
        targets: Vec<String>,
        /// For how many seconds each.
        #[arg(long)]
        seconds: Option<u64>,
    },
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Gen { baseline } => generate(baseline).map(|()| true),
        Command::Test { suites, long, arguments } => {
            let length = if long { test::Length::Long } else { test::Length::Short };
            test::test(&suites, length, &arguments)
        }
        Command::Bench { arguments } => binaries::bench(&arguments).map(|()| true),
        Command::Pictures => pictures::pictures().map(|()| true),
        Command::Tidy => tidy::tidy(),
        Command::Supply => supply::supply(),
        Command::Lock => lock::lock().map(|()| true),
        Command::Sbom { check: false } => sbom::print().map(|()| true),
        Command::Sbom { check: true } => sbom::check(),
        Command::Dist { kinds, profile, binary } => {
            let of = binary.map_or(dist::Of::Profile(profile), dist::Of::Binary);
            dist::dist(of, &kinds).map(|()| true)
        }
        Command::Site => site::site().map(|()| true),
        Command::Fuzz { targets, seconds } => fuzz::fuzz(&targets, seconds),
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
