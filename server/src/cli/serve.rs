//! `hitl serve`: runs the service.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::exit::Exit;
use crate::config::ServeArgs;
use crate::log::Log;

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let filter = EnvFilter::try_from_env("HITL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(Log::on_stderr(args.data_dir().ok().map(|data| data.join("serve.log"))))
        .init();
    crate::app::serve(args).await.map(|()| Exit::Done)
}
