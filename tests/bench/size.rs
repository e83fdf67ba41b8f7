//! The size of the binary, without what only a debugger reads.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cli::Plan;
use crate::report::{Row, Target};
use crate::server;

pub(crate) fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let dir = plan.fresh_dir()?;
    let stripped = dir.path().join("hitl");
    let status = Command::new("strip").arg("-o").arg(&stripped).arg(server::program()?).status();
    ensure!(status.context("cannot run strip")?.success(), "strip failed");
    let bytes = std::fs::metadata(&stripped)?.len() as f64;
    let aim = ("30 MB", 30e6);
    Ok(vec![Row::bytes("size of the binary", "stripped", bytes, aim, Some(Target::AtMost(1.0)))])
}
