//! Makes the certificates of `hitl_testing::certificates` in a directory, for tests that are not written in Rust.

use std::path::PathBuf;

use anyhow::{Context, Result};
use support::tls::Certificates;

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).context("usage: certificates DIRECTORY")?;
    Certificates::make(&PathBuf::from(directory)).map(drop)
}
