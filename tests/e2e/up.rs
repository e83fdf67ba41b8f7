//! The local server: whoever needs it finds it or starts it by `hitl up`, and trusts nobody else.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use futures::future::join_all;
use rustix::process::{Signal, getsid, kill_process};
use serde_json::json;
use support::stores::Kind;
use support::tools;

use crate::shell::{Done, Shell};
use crate::site::soon;
use crate::tasks::free_port;

/// Where the server is, of what `hitl up` printed: one line of JSON.
fn endpoint(line: &str) -> String {
    let said: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    let endpoint = said["endpoint"].as_str().expect("an endpoint").to_owned();
    let token = said["token"].as_str().expect("a token");
    assert!(hitl_core::TokenText::parse(token).is_some(), "it is one as all others are");
    assert_eq!(line, format!("{}\n", json!({"endpoint": endpoint, "token": token})));
    endpoint
}

async fn up(shell: &Shell) -> String {
    endpoint(&shell.out(&["up"]).await)
}

/// The same for one who has chosen no port.
async fn up_anywhere(shell: &Shell) -> String {
    let mut command = shell.command(&tools::hitl());
    let output = command.arg("up").env_remove("HITL_PORT").output();
    let output = soon("hitl up", output).await.expect("it runs");
    endpoint(std::str::from_utf8(&output.stdout).expect("a line of text"))
}

/// Something that listens at a port and is not ours: it must never hear of us.
struct Stranger(TcpListener);

impl Stranger {
    fn at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        listener.set_nonblocking(true).expect("it can be set");
        Self(listener)
    }

    /// At the port of a server that was killed, once the system has taken it from that.
    async fn after(port: u16) -> Self {
        let free = async {
            while TcpListener::bind(("127.0.0.1", port)).is_err() {
                tokio::task::yield_now().await;
            }
        };
        soon("the port of the killed server", free).await;
        Self::at(port)
    }

    fn assert_left_alone(&self) {
        let met = self.0.accept().map(drop).expect_err("nobody connects");
        assert_eq!(met.kind(), std::io::ErrorKind::WouldBlock);
    }
}

fn port_of(endpoint: &str) -> u16 {
    endpoint.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

fn assert_failed(done: &Done, parts: &[&str]) {
    assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{done:?}");
    for part in parts {
        assert!(done.err.contains(part), "{part:?} is missing: {}", done.err);
    }
}

#[tokio::test]
async fn of_many_that_come_at_once_one_server_is_left_and_all_say_where_it_is() {
    let port = free_port();
    let shell = Shell::alone(port).await;
    for round in 0..3 {
        let lines = join_all((0..16).map(|_| shell.out(&["up"]))).await;
        for line in &lines {
            assert_eq!(endpoint(line), format!("http://127.0.0.1:{port}"), "round {round}");
        }
        shell.server();
        shell.kill_servers().await;
    }
}

#[tokio::test]
async fn a_server_outlives_its_starter_and_its_terminal_and_what_it_keeps_is_private() {
    let shell = Shell::alone(free_port()).await;
    up(&shell).await;
    let server = shell.server();
    assert_eq!(getsid(Some(server)).expect("it runs"), server, "it leads a session of its own");
    for file in ["server.json", "server.lock", "serve.log"] {
        let meta = std::fs::metadata(shell.dir().join(file)).expect("it is there");
        assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_stranger_at_the_port_is_never_asked_and_another_port_is_taken() {
    // If this fails something else has it, which is as good.
    let stranger = TcpListener::bind(("127.0.0.1", 4485)).ok();
    let shell = Shell::alone(free_port()).await;
    let endpoint = up_anywhere(&shell).await;
    assert_ne!(port_of(&endpoint), 4485);
    let asking = shell.ask(&["What?"]).await;
    assert!(asking.link.starts_with(&endpoint), "{}", asking.link);
    if let Some(listener) = stranger {
        listener.set_nonblocking(true).expect("it can be set");
        Stranger(listener).assert_left_alone();
    }
}

#[tokio::test]
async fn a_killed_server_comes_back_where_links_lead_unless_a_stranger_is_there_by_now() {
    let port = free_port();
    let shell = Shell::alone(port).await;
    let first = up(&shell).await;
    shell.kill_servers().await;
    let again = up_anywhere(&shell).await;
    assert_eq!(again, first, "links that people were given have that port");
    shell.kill_servers().await;
    let stranger = Stranger::after(port).await;
    assert_ne!(up_anywhere(&shell).await, first);
    stranger.assert_left_alone();
}

#[tokio::test]
async fn a_chosen_port_that_a_stranger_has_is_an_error_that_says_so() {
    let port = free_port();
    let stranger = Stranger::at(port);
    let shell = Shell::alone(port).await;
    let address = format!("127.0.0.1:{port}");
    for args in [["up"].as_slice(), &["ask", "What?"]] {
        assert_failed(&shell.run(args).await, &[&address, "another server", "HITL_PORT"]);
    }
    stranger.assert_left_alone();
    assert!(shell.servers().is_empty());
}

#[tokio::test]
async fn a_server_that_is_told_to_end_takes_its_file_away_and_is_followed_by_another() {
    let shell = Shell::alone(free_port()).await;
    let endpoint = up(&shell).await;
    let first = shell.server();
    kill_process(first, Signal::TERM).expect("it runs");
    let withdrawn = async {
        while shell.dir().join("server.json").exists() {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the file", withdrawn).await;
    assert_eq!(up(&shell).await, endpoint);
    assert_ne!(shell.server(), first);
}

#[tokio::test]
async fn a_server_that_cannot_start_shows_the_end_of_its_log_of_this_time() {
    let shell = Shell::with("HITL_STORE", "file:///dev/null/store");
    std::fs::write(shell.dir().join("serve.log"), "of another day\n").expect("it can be written");
    let log = shell.dir().join("serve.log");
    for args in [["up"].as_slice(), &["ask", "What?"]] {
        let done = shell.run(args).await;
        assert_failed(&done, &["did not start", "/dev/null/store", &log.display().to_string()]);
        assert!(!done.err.contains("of another day"), "{}", done.err);
    }
}

#[tokio::test]
async fn a_log_grown_large_is_put_aside() {
    let shell = Shell::alone(free_port()).await;
    let (log, aside) = (shell.dir().join("serve.log"), shell.dir().join("serve.log.1"));
    let large = (8 << 20) + 1;
    std::fs::write(&log, vec![b'x'; large]).expect("it can be written");
    up(&shell).await;
    assert_eq!(std::fs::metadata(aside).expect("it is there").len(), large as u64);
    assert!(!std::fs::read_to_string(log).expect("it is there").contains(&"x".repeat(64)));
}

#[tokio::test]
async fn what_others_can_get_at_is_refused_by_every_command_with_the_one_that_mends_it() {
    let shell = Shell::alone(free_port()).await;
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(shell.dir(), open).expect("it is ours");
    let mends = format!("`chmod 700 {}`", shell.dir().display());
    for args in [["up"].as_slice(), &["ask", "What?"]] {
        assert_failed(&shell.run(args).await, &[&mends]);
    }
    assert!(shell.servers().is_empty());
}

#[tokio::test]
async fn a_server_that_is_too_busy_to_reply_is_the_local_one_still() {
    let shell = Shell::alone(free_port()).await;
    let endpoint = up(&shell).await;
    kill_process(shell.server(), Signal::STOP).expect("it runs");
    assert_eq!(up(&shell).await, endpoint);
}

#[tokio::test]
async fn a_server_that_a_person_has_started_is_found_and_an_endpoint_of_the_environment_is_not() {
    // Of another kind of store it has to be told, and then it is not the one of this directory.
    if Kind::of_this_run() != Kind::Embedded {
        return;
    }
    let shell = Shell::with("HITL_ENDPOINT", "http://192.0.2.1:1");
    let port = free_port();
    let mut command = shell.command(&tools::hitl());
    let mut server =
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]).spawn().expect("it runs");
    let serves = async {
        while !shell.dir().join("server.json").exists() {
            tokio::task::yield_now().await;
        }
    };
    soon("the file of the server", serves).await;
    assert_eq!(up(&shell).await, format!("http://127.0.0.1:{port}"));
    server.kill().await.expect("it dies");
}

#[tokio::test]
async fn status_starts_no_server_and_stop_ends_one_whose_events_come_back_with_the_next() {
    let shell = Shell::alone(free_port()).await;
    let none = shell.run(&["status"]).await;
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""), "{none:?}");
    assert!(none.err.contains("No local server runs"), "{none:?}");
    assert_eq!(shell.out(&["stop"]).await, "");
    assert!(shell.servers().is_empty(), "neither has started one");
    let id = shell.out(&["ask", "What?", "--detach"]).await;
    let status = shell.out(&["status"]).await;
    let pid = shell.server().as_raw_nonzero().to_string();
    for expected in [&pid, "1 event", "the user of the server's machine"] {
        assert!(status.contains(expected), "{expected}: {status}");
    }
    shell.out(&["stop"]).await;
    assert!(shell.servers().is_empty(), "it has ended when the command has");
    let status: serde_json::Value =
        serde_json::from_str(&shell.run(&["status", "--json"]).await.out).expect("JSON");
    assert_eq!(status, serde_json::json!({"running": false}));
    // What is kept in memory ends with the server.
    if Kind::of_this_run() != Kind::Memory {
        assert!(shell.out(&["list"]).await.contains(id.trim_end()));
    }
}
