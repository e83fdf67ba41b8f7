//! `hitl serve`: runs the service.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::exit::Exit;
use crate::config::ServeArgs;
use crate::log::Log;

/// What is logged unless `HITL_LOG` says otherwise. Errors of peers in HTTP/2 are left out. The engine of the embedded
/// store is included, since it logs why it failed.
const LEVELS: &str = "info,h2=error,fjall=warn,lsm_tree=warn";

pub(super) async fn run(args: ServeArgs, store: hitl_store::Options) -> anyhow::Result<Exit> {
    if args.local {
        crate::local::leave_terminal();
    }
    let filter = EnvFilter::try_from_env("HITL_LOG").unwrap_or_else(|_| EnvFilter::new(LEVELS));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(super::log::fields())
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(Log::on_stderr(args.data_dir().ok().map(|data| data.join("serve.log"))))
        .init();
    crate::app::serve(args, store).await.map(|()| Exit::Done)
}
