//! `hitl completions` and `hitl man`: what shells and `man` want to know of the command line.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Exit;
use super::terminal;

/// Print what completes commands and options in a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hitl completions bash > ~/.local/share/bash-completion/completions/hitl
  hitl completions zsh > \"${fpath[1]}/_hitl\"
  hitl completions fish > ~/.config/fish/completions/hitl.fish")]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Print the manual, or write a page for each command
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hitl man | man -l -
  hitl man --dir /usr/local/share/man/man1")]
pub(super) struct ManArgs {
    /// Writes hitl.1 and a page for each command into this directory, and prints nothing.
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

pub(super) fn completions(mut cli: Command, args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli, "hitl", &mut script);
    write(&script)
}

pub(super) fn man(cli: Command, args: &ManArgs) -> anyhow::Result<Exit> {
    if let Some(dir) = &args.dir {
        let cannot = || format!("cannot write the manual into {}", dir.display());
        std::fs::create_dir_all(dir).with_context(cannot)?;
        clap_mangen::generate_to(cli, dir).with_context(cannot)?;
        terminal::note(&format!("The manual is in {}.", dir.display()));
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(cli).render(&mut page).context("cannot write the manual")?;
    write(&page)
}

/// It is ours, and for a program.
fn write(bytes: &[u8]) -> anyhow::Result<Exit> {
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Done),
    }
}
