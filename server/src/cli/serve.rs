//! `hitl serve`: runs the service.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::exit::Exit;
use crate::config::ServeArgs;

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let filter = EnvFilter::try_from_env("HITL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(super::log::fields())
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    crate::app::serve(args).await.map(|()| Exit::Done)
}
