//! Tasks that nobody set up anything for, and that crash: a server starts when it is needed, and the same run asks the
//! same questions.

use std::process::Stdio;

use futures::future::join_all;
use rustix::process::{Signal, kill_process};
use support::stores::Kind;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::shell::{Shell, event_of_link};
use crate::site::soon;

/// A port that nobody listens on, below those that the kernel gives to outgoing connections.
pub(crate) fn free_port() -> u16 {
    use rand::RngExt;
    let port = || rand::rng().random_range(12_000..32_000);
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(port).find(free).expect("an endless search ends with a port")
}

#[tokio::test]
async fn ask_starts_a_server_by_itself_and_all_who_come_at_once_share_it() {
    let shell = Shell::alone(free_port()).await;
    let asks = join_all((0..4).map(|_| shell.ask(&["What?", "--type", "int"]))).await;
    shell.server();
    for (asking, answer) in asks.into_iter().zip(["1", "2", "3", "4"]) {
        shell.out(&["answer", asking.id(), answer]).await;
        assert_eq!(asking.done().await.out, format!("{answer}\n"));
    }
    let beside_us = matches!(Kind::of_this_run(), Kind::Embedded | Kind::Files);
    assert_eq!(shell.dir().join("store").is_dir(), beside_us, "unless told otherwise");
}

#[tokio::test]
async fn an_ask_that_is_killed_and_run_again_with_its_run_id_asks_the_same_question() {
    let shell = Shell::alone(free_port()).await;
    let args = ["How many?", "--type", "int", "--run-id", "nightly-1", "--name", "count"];
    let first = shell.ask(&args).await;
    let link = first.link.clone();
    first.kill().await;
    let second = shell.ask(&args).await;
    assert_eq!(second.link, link);
    let id = second.id().to_owned();
    second.kill().await;
    shell.out(&["answer", &id, "5"]).await;
    let third = shell.run(&[&["ask"], args.as_slice()].concat()).await;
    assert_eq!((third.code, third.out.as_str()), (Some(0), "5\n"), "{third:?}");
    let other = ["How many?", "--type", "int", "--run-id", "nightly-2", "--name", "count"];
    let other = shell.ask(&other).await;
    assert_ne!(other.link, link, "another run is another question");
}

/// Answers an event whose server was killed, and says whether there was anything to answer: what the server kept in
/// memory is gone, and it must say so.
async fn answer_after_kill(shell: &Shell, id: &str, answer: &str) -> bool {
    let done = shell.run(&["answer", id, answer]).await;
    let survives = Kind::of_this_run().survives_restart();
    assert_eq!(done.code, Some(if survives { 0 } else { 1 }), "{done:?}");
    assert_eq!(done.err.contains("there is no event"), !survives, "{done:?}");
    survives
}

#[tokio::test]
async fn the_answer_arrives_though_the_server_is_killed_while_ask_waits() {
    let shell = Shell::alone(free_port()).await;
    let asking = shell.ask(&["What?"]).await;
    let server = shell.server();
    kill_process(server, Signal::KILL).expect("it dies");
    let answered = answer_after_kill(&shell, asking.id(), "still here").await;
    let done = asking.done().await;
    if !answered {
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{done:?}");
        return;
    }
    assert_eq!((done.code, done.out.as_str()), (Some(0), "still here\n"), "{done:?}");
    assert!(!shell.servers().contains(&server));
}

/// What the task prints before each of its lines, among those of the test runner.
const SAYS: &str = "task: ";

/// Not a test but the task that the tests below start and kill: this very program, run again with this name. It knows
/// nothing but the SDK and the id of its run.
#[tokio::test]
async fn the_task_that_is_killed_below() -> hitl::Result<()> {
    let Ok(run_id) = std::env::var("HITL_TEST_TASK_RUN") else {
        return Ok(());
    };
    let client = hitl::Client::new(hitl::Config::default().run_id(run_id))?;
    for name in ["first", "second", "second"] {
        let event = client.event::<i64>(name, "How many?").create().await?;
        println!("{SAYS}{}", event.form_url());
        println!("{SAYS}{}", event.wait().await?);
    }
    Ok(())
}

/// The task of the run `run_id`, from its beginning.
struct Task {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Task {
    fn start(shell: &Shell, run_id: &str) -> Self {
        let us = std::env::current_exe().expect("a running program has a path");
        let mut command = shell.command(&us);
        command.args(["--exact", "tasks::the_task_that_is_killed_below", "--nocapture"]);
        command.env("HITL_TEST_TASK_RUN", run_id).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    async fn says(&mut self) -> String {
        loop {
            let line = soon("a line of the task", self.lines.next_line()).await;
            let line = line.expect("it can be read").expect("the task has more to say");
            if let Some((_, said)) = line.split_once(SAYS) {
                return said.to_owned();
            }
        }
    }

    async fn kill(mut self) {
        self.child.kill().await.expect("it dies");
    }
}

#[tokio::test]
async fn a_task_that_is_killed_at_each_of_its_questions_goes_on_where_it_was() {
    let shell = Shell::alone(free_port()).await;
    let mut known: Vec<(String, String)> = Vec::new();
    for answer in ["1", "2", "3"] {
        let mut task = Task::start(&shell, "run-1");
        for (link, answer) in &known {
            assert_eq!((&task.says().await, &task.says().await), (link, answer), "as before");
        }
        let link = task.says().await;
        assert!(
            known.iter().all(|(before, _)| *before != link),
            "a loop that asks twice asks twice"
        );
        task.kill().await;
        let id = &event_of_link(&link);
        shell.out(&["answer", id, answer]).await;
        known.push((link, answer.to_owned()));
    }
    let mut task = Task::start(&shell, "run-1");
    for (link, answer) in &known {
        assert_eq!((&task.says().await, &task.says().await), (link, answer), "as before");
    }
    assert!(soon("its end", task.child.wait()).await.expect("it ends").success());
    let mut other = Task::start(&shell, "run-2");
    let link = other.says().await;
    assert!(known.iter().all(|(before, _)| *before != link), "another run asks for itself");
    other.kill().await;
}

#[tokio::test]
async fn a_task_gets_its_answer_though_the_server_is_killed_while_it_waits() {
    let shell = Shell::alone(free_port()).await;
    let mut task = Task::start(&shell, "run-1");
    let link = task.says().await;
    let id = &event_of_link(&link);
    shell.kill_servers().await;
    if !answer_after_kill(&shell, id, "9").await {
        let status = soon("the end of the task", task.child.wait()).await.expect("it ends");
        assert!(!status.success(), "nobody will answer it");
        return;
    }
    assert_eq!(task.says().await, "9");
    task.kill().await;
}

#[tokio::test]
async fn without_a_server_and_a_program_to_start_the_error_says_what_to_do() {
    let shell = Shell::alone(free_port()).await;
    let us = std::env::current_exe().expect("a running program has a path");
    let mut command = shell.command(&us);
    command.args(["--exact", "tasks::the_task_that_is_killed_below", "--nocapture"]);
    command.env("HITL_TEST_TASK_RUN", "run").env("HITL_BIN", "/no/such/hitl");
    let output = soon("the failure", command.output()).await.expect("it runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("HITL_BIN") && said.contains("HITL_ENDPOINT"), "{said}");
}
