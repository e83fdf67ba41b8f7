//! What developers run: `cargo xtask gen`, `test`, `bench`, `tidy`.

mod gen_proto;

use clap::Parser;

/// Automates the work on hitl.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Command {
    /// Generates the code that stems from the protos.
    Gen,
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Gen => gen_proto::run(),
    }
}
