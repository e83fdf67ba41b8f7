//! Tasks that nobody set up anything for, and that crash: a server starts when it is needed, and the same run asks the
//! same questions.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use futures::future::join_all;
use rustix::process::{Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::shell::{Shell, Sweep, servers_on};
use crate::site::soon;

/// A port that nobody listens on, below those that the kernel gives to outgoing connections.
fn free_port() -> u16 {
    use rand::RngExt;
    let port = || rand::rng().random_range(12_000..32_000);
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(port)
        .find(free)
        .expect("an endless search ends with a port")
}

#[tokio::test]
async fn ask_starts_a_server_by_itself_and_all_who_come_at_once_share_it() {
    let port = free_port();
    let (shell, sweep) = (Shell::alone(port), Sweep(port));
    let asks = join_all((0..4).map(|_| shell.ask(&["What?", "--type", "int"]))).await;
    assert_eq!(servers_on(port).len(), 1, "one server for all");
    for (asking, answer) in asks.into_iter().zip(["1", "2", "3", "4"]) {
        shell.out(&["answer", asking.id(), answer]).await;
        assert_eq!(asking.done().await.out, format!("{answer}\n"));
    }
    assert!(
        shell.dir().join("store").is_dir(),
        "the server keeps its data where we keep ours"
    );
    drop(sweep);
}

#[tokio::test]
async fn an_ask_that_is_killed_and_run_again_with_its_run_id_asks_the_same_question() {
    let port = free_port();
    let (shell, _sweep) = (Shell::alone(port), Sweep(port));
    let args = [
        "How many?",
        "--type",
        "int",
        "--run-id",
        "nightly-1",
        "--name",
        "count",
    ];
    let first = shell.ask(&args).await;
    let link = first.link.clone();
    first.kill().await;
    let second = shell.ask(&args).await;
    assert_eq!(second.link, link);
    let id = second.id().to_owned();
    second.kill().await;
    shell.out(&["answer", &id, "5"]).await;
    let third = shell.run(&[&["ask"], args.as_slice()].concat()).await;
    assert_eq!(
        (third.code, third.out.as_str()),
        (Some(0), "5\n"),
        "{third:?}"
    );
    let other = [
        "How many?",
        "--type",
        "int",
        "--run-id",
        "nightly-2",
        "--name",
        "count",
    ];
    let other = shell.ask(&other).await;
    assert_ne!(other.link, link, "another run is another question");
}

#[tokio::test]
async fn the_answer_arrives_though_the_server_is_killed_while_ask_waits() {
    let port = free_port();
    let (shell, sweep) = (Shell::alone(port), Sweep(port));
    let asking = shell.ask(&["What?"]).await;
    let [server] = servers_on(port)[..] else {
        panic!("one server")
    };
    kill_process(server, Signal::KILL).expect("it dies");
    shell.out(&["answer", asking.id(), "still here"]).await;
    let done = asking.done().await;
    assert_eq!(
        (done.code, done.out.as_str()),
        (Some(0), "still here\n"),
        "{done:?}"
    );
    assert!(!servers_on(port).contains(&server));
    drop(sweep);
}

/// The example program `wait` of the Rust SDK, built if it is not.
async fn sdk_task() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    let profile = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests are in deps");
    let target = profile
        .parent()
        .expect("a profile is in the target directory");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "hitl",
        "--example",
        "wait",
        "--target-dir",
    ]);
    let built = cargo
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .await;
    let built = built.expect("cargo runs");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    target.join("debug/examples/wait")
}

/// The task in its run `run`, started from its beginning.
fn start_task(shell: &Shell, task: &Path, run: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = shell
        .command(task)
        .arg(run)
        .stderr(Stdio::inherit())
        .spawn()
        .expect("it runs");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    (child, lines)
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = soon("a line of the task", lines.next_line())
        .await
        .expect("it can be read");
    line.expect("the task has more to say")
}

#[tokio::test]
async fn a_task_of_the_rust_sdk_that_is_killed_goes_on_where_it_was() {
    let port = free_port();
    let (shell, _sweep) = (Shell::alone(port), Sweep(port));
    let task = sdk_task().await;
    let (mut child, mut lines) = start_task(&shell, &task, "run-1");
    let asked = next(&mut lines).await;
    let link = asked
        .strip_prefix("asked: answer at ")
        .expect("it asks")
        .to_owned();
    child.kill().await.expect("it dies");
    let (mut child, mut lines) = start_task(&shell, &task, "run-1");
    assert_eq!(
        next(&mut lines).await,
        format!("asked before: answer at {link}")
    );
    let id = link
        .rsplit('/')
        .nth(1)
        .expect("a link ends with id and token");
    shell.out(&["answer", id, "staging"]).await;
    assert_eq!(next(&mut lines).await, "deploying to staging");
    assert!(
        soon("its end", child.wait())
            .await
            .expect("it ends")
            .success()
    );
    let (mut child, mut lines) = start_task(&shell, &task, "run-1");
    assert_eq!(
        next(&mut lines).await,
        format!("asked before: answer at {link}")
    );
    assert_eq!(next(&mut lines).await, "deploying to staging");
    assert!(
        soon("its end", child.wait())
            .await
            .expect("it ends")
            .success()
    );
}

#[tokio::test]
async fn without_a_server_and_a_program_to_start_the_error_says_what_to_do() {
    let shell = Shell::alone(free_port());
    let task = sdk_task().await;
    let mut command = shell.command(&task);
    let output = command.arg("run").env("HITL_BIN", "/no/such/hitl").output();
    let output = soon("the failure", output).await.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        said.contains("HITL_BIN") && said.contains("HITL_ENDPOINT"),
        "{said}"
    );
}
