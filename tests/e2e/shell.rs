//! The `hitl` command as a script uses it: its own home, its own server, its output and its exit code.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustix::process::{Pid, Signal, kill_process};
use support::stores::{Kind, Place};
use support::tools;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::site::soon;

/// Whoever types commands, with an environment of their own.
pub(crate) struct Shell {
    dir: TempDir,
    variables: Vec<(String, String)>,
}

impl Drop for Shell {
    /// No test leaves a server behind.
    fn drop(&mut self) {
        for pid in self.servers() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shell {
    /// One who uses the server at `url`.
    pub(crate) fn at(url: &str) -> Self {
        Self::with("HITL_ENDPOINT", url)
    }

    /// One for whom no server runs yet, and who would find it on `port`, with a store of the kind that this run of the
    /// tests is about.
    pub(crate) async fn alone(port: u16) -> Self {
        let mut shell = Self::with("HITL_PORT", &port.to_string());
        let kind = Kind::of_this_run();
        // That is what whoever says nothing gets.
        if kind != Kind::Embedded {
            let Place { url, env } = kind.place(shell.dir()).await.expect("a store");
            shell.variables.push(("HITL_STORE".to_owned(), url));
            shell.variables.extend(env);
        }
        shell
    }

    pub(crate) fn with(name: &str, value: &str) -> Self {
        let ours = std::fs::Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new().prefix("hitl-shell-").permissions(ours).tempdir();
        let variables = vec![(name.to_owned(), value.to_owned())];
        Self { dir: dir.expect("a directory"), variables }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The servers that were started here and are nobody's children: they run in this directory.
    pub(crate) fn servers(&self) -> Vec<Pid> {
        let serves = |pid: &Pid| {
            let of = |part: &str| format!("/proc/{}/{part}", pid.as_raw_nonzero());
            let line = std::fs::read(of("cmdline")).unwrap_or_default();
            let is_here = std::fs::read_link(of("cwd")).is_ok_and(|cwd| cwd == self.dir.path());
            is_here && line.split(|byte| *byte == 0).any(|word| word == b"serve")
        };
        let entries = std::fs::read_dir("/proc").expect("/proc can be read").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(Pid::from_raw).filter(serves).collect()
    }

    /// The only one of them.
    pub(crate) fn server(&self) -> Pid {
        let servers = self.servers();
        let [server] = servers[..] else { panic!("there is one server for all, not {servers:?}") };
        server
    }

    /// Kills them, and returns once they are gone.
    pub(crate) async fn kill_servers(&self) {
        let servers = self.servers();
        for pid in &servers {
            // It may have ended by now.
            let _ = kill_process(*pid, Signal::KILL);
        }
        // A process that ends has no memory, and so no command line, a moment before it lets go of its locks. It has
        // let go of them once it is a zombie without another thread.
        let is_left = |pid: &Pid| {
            let of = |part: &str| format!("/proc/{}/{part}", pid.as_raw_nonzero());
            let stat = std::fs::read_to_string(of("stat")).unwrap_or_default();
            let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
            let threads = std::fs::read_dir(of("task")).map_or(0, Iterator::count);
            state.is_some_and(|state| state != 'Z') || threads > 1
        };
        let gone = async {
            while servers.iter().any(is_left) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon("the end of the servers", gone).await;
    }

    /// `program`, to be run in this environment.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let foreign = std::env::vars_os().map(|(name, _)| name);
        for name in foreign.filter(|name| name.to_string_lossy().starts_with("HITL_")) {
            command.env_remove(name);
        }
        command
            .env("HITL_DATA_DIR", self.dir.path())
            .env("HITL_BIN", tools::hitl())
            .env("HITL_PRINT_LINK", "1")
            .env("HOME", self.dir.path())
            .envs(self.variables.iter().cloned())
            .current_dir(self.dir.path())
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `hitl ARGS` to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Done {
        let output = self.command(&tools::hitl()).args(args).output();
        let output = soon(&format!("hitl {args:?}"), output).await.expect("the binary runs");
        Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("the output is text"),
            err: String::from_utf8(output.stderr).expect("the messages are text"),
        }
    }

    /// What `hitl ARGS` prints, which must succeed.
    pub(crate) async fn out(&self, args: &[&str]) -> String {
        let done = self.run(args).await;
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
        done.out
    }

    /// Starts `hitl ask ARGS`, and returns once it says where to answer.
    pub(crate) async fn ask(&self, args: &[&str]) -> Asking {
        let mut command = self.command(&tools::hitl());
        let mut child = command.arg("ask").args(args).spawn().expect("the binary runs");
        let mut messages = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut said = Vec::new();
        let link = loop {
            let line = soon("the link", messages.next_line()).await.expect("it can be read");
            let line = line.unwrap_or_else(|| panic!("no link, but {said:?}"));
            // Before it there may be words on a server that takes its time.
            if let Some(at) = line.find("http://").or_else(|| line.find("https://"))
                && line.contains("/q/")
            {
                break line[at..].trim().to_owned();
            }
            said.push(line);
        };
        Asking { child, id: event_of_link(&link), link, messages }
    }
}

/// The id of the event that a link names: the first 16 of the bytes in it.
pub(crate) fn event_of_link(link: &str) -> String {
    let (_, text) = link.rsplit_once('/').expect("a link has a path");
    let bytes = URL_SAFE_NO_PAD.decode(text).expect("a link ends with base64url");
    bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A `hitl ask` that waits.
pub(crate) struct Asking {
    pub(crate) child: Child,
    pub(crate) link: String,
    id: String,
    messages: Lines<BufReader<ChildStderr>>,
}

impl Asking {
    /// The id of the event.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it dies");
    }

    /// What it comes to.
    pub(crate) async fn done(mut self) -> Done {
        let rest = async {
            let mut err = String::new();
            while let Ok(Some(line)) = self.messages.next_line().await {
                err += &(line + "\n");
            }
            err
        };
        let ended = async { tokio::join!(self.child.wait_with_output(), rest) };
        let (output, err) = soon("the end of the ask", ended).await;
        let output = output.expect("it can be read");
        let out = String::from_utf8(output.stdout).expect("the output is text");
        Done { code: output.status.code(), out, err }
    }
}
