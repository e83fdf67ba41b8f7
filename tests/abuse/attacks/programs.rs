//! The programs by which others attack and load servers.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use support::tools;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::peers::Target;

/// One that ends before was not able to do its work.
const AT_LEAST: Duration = Duration::from_millis(500);

/// Heads that come a header at a time, and never end.
pub(super) async fn slow_heads(target: Target, over: CancellationToken) -> usize {
    let url = format!("http://{}/", target.address);
    let how = ["-H", "-c", "800", "-r", "800", "-i", "1", "-l", "60", "-u", &url];
    run(&tools::slowhttptest(), &how, &over).await
}

/// Replies that are read a few bytes at a time.
pub(super) async fn slow_readers(target: Target, over: CancellationToken) -> usize {
    let url = format!("http://{}/v1/events?namespace=large&page_size=50", target.address);
    let how = ["-X", "-c", "800", "-r", "800", "-w", "10", "-y", "20", "-n", "1", "-z", "32"];
    let how = [&how[..], &["-k", "1", "-l", "60", "-u", &url]].concat();
    run(&tools::slowhttptest(), &how, &over).await
}

/// As many lists as a hundred connections of HTTP/2 bring.
pub(super) async fn load(target: Target, over: CancellationToken) -> usize {
    let url = format!("http://{}/v1/events?namespace=small&page_size=50", target.address);
    let how = ["--clients", "100", "--max-concurrent-streams", "100", "--duration", "60", &url];
    run(&tools::h2load(), &how, &over).await
}

/// Runs `program` until it is over; whether it did its work.
async fn run(program: &Path, arguments: &[&str], over: &CancellationToken) -> usize {
    let begun = tokio::time::Instant::now();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It inherits the low priority of the thread that starts it.
    let mut running = command.kill_on_drop(true).spawn().expect("the program can be run");
    tokio::select! {
        ended = running.wait() => drop(ended),
        () = over.cancelled() => {
            let _ = running.kill().await;
        }
    }
    usize::from(begun.elapsed() >= AT_LEAST)
}
