//! `hitl test-server`: a server for the tests of programs.

use std::io::Read;

use clap::Args;
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use super::exit::Exit;
use crate::app;
use crate::config::ServeArgs;

/// Run a server for tests, which keeps nothing and lets time pass when it is told to
#[derive(Args, Debug)]
#[command(after_help = "\
It takes any port that is free, keeps everything in memory, asks for no token, and is reached from this machine alone.
It prints where it is as a line of JSON, and ends when its standard input does, so that it never outlives the test that
has started it. The test kits of the SDKs run it. Variables of the environment change nothing but HITL_LOG.

Examples:
  hitl test-server             prints {\"endpoint\":\"http://127.0.0.1:34567\"}")]
pub(super) struct TestServerArgs {
    /// The port to listen on. [default: any that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
}

pub(super) async fn run(args: TestServerArgs, store: hitl_store::Options) -> anyhow::Result<Exit> {
    let filter = EnvFilter::try_from_env("HITL_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    app::serve_for_tests(ServeArgs::for_tests(args.port)?, store, end_of_input()).await?;
    Ok(Exit::Done)
}

/// Completes when the standard input ends. The thread that reads it is nobody's to wait for.
fn end_of_input() -> impl Future<Output = ()> + Send + 'static {
    let (ended, has_ended) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while matches!(input.read(&mut [0; 512]), Ok(1..)) {}
        // Whoever waits for it may have ended for another reason.
        let _ = ended.send(());
    });
    async {
        if has_ended.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
