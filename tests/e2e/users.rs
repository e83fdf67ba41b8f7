//! Two users on one machine, of whom the second wants what is the first one's.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use serde_json::Value as Json;
use support::stores::Kind;
use support::tools;
use tempfile::TempDir;
use tokio::process::Command;

use crate::shell::{Done, Shell};
use crate::site::soon;
use crate::tasks::free_port;

/// The second user, who has a home and a program of their own.
struct Other {
    home: TempDir,
    binary: PathBuf,
}

/// A user that every machine has, and that owns nothing.
const NOBODY: u32 = 65_534;

impl Other {
    fn new() -> Self {
        let home = tempfile::Builder::new().prefix("hitl-other-").tempdir().expect("a directory");
        let binary = home.path().join("hitl");
        std::fs::copy(tools::hitl(), &binary).expect("the program can be copied");
        std::os::unix::fs::chown(home.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
        let private = PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(home.path(), private).expect("root may");
        std::fs::set_permissions(&binary, PermissionsExt::from_mode(0o755)).expect("root may");
        Self { home, binary }
    }

    /// What comes of `program` when this user runs it, with these variables.
    async fn run(&self, program: &Path, args: &[&str], env: &[(&str, &str)]) -> Done {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
        command.arg(program).args(args).env_clear().envs(env.iter().copied());
        command.env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin").kill_on_drop(true);
        if !env.iter().any(|(name, _)| *name == "HITL_DATA_DIR") {
            command.env("HITL_DATA_DIR", self.home.path().join("data"));
        }
        command.current_dir(self.home.path()).stdin(std::process::Stdio::null());
        let output = soon("a command of the other user", command.output()).await.expect("it runs");
        Done {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    async fn hitl(&self, args: &[&str], env: &[(&str, &str)]) -> Done {
        self.run(&self.binary, args, env).await
    }
}

impl Drop for Other {
    /// The server of this user runs in its own directory.
    fn drop(&mut self) {
        let lock = self.home.path().join("data/server.lock");
        let pid = std::fs::read_to_string(lock).ok().and_then(|pid| pid.trim().parse().ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

fn of(line: &str, name: &str) -> String {
    let said: Json = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    said[name].as_str().expect("it is there").to_owned()
}

/// Who can run a test about two users, and whether this run is about a store that outlives its server.
fn can_be_shown() -> bool {
    geteuid().is_root() && Kind::of_this_run() == Kind::Embedded
}

#[tokio::test]
async fn another_user_of_the_machine_can_neither_read_nor_list_nor_answer_nor_lock() {
    if !can_be_shown() {
        return;
    }
    let shell = Shell::alone(free_port()).await;
    let asking = shell.ask(&["May I?", "--type", "bool"]).await;
    let id = asking.id().to_owned();
    let endpoint = of(&shell.out(&["up"]).await, "endpoint");
    let other = Other::new();
    let theirs = shell.dir().display().to_string();

    for file in ["server.json", "server.lock", "serve.log", "store"] {
        let path = format!("{theirs}/{file}");
        let read = other.run("cat".as_ref(), &[&path], &[]).await;
        assert_ne!(read.code, Some(0), "{path}: {read:?}");
        let locked = other.run("flock".as_ref(), &["-n", &path, "true"], &[]).await;
        assert_ne!(locked.code, Some(0), "{path}: {locked:?}");
    }
    let up = other.hitl(&["up"], &[("HITL_DATA_DIR", &theirs)]).await;
    assert_eq!((up.code, up.out.as_str()), (Some(1), ""), "{up:?}");

    let own = other.hitl(&["token", "local"], &[]).await;
    assert_eq!(own.code, Some(0), "{own:?}");
    for token in ["", own.out.trim()] {
        let env = [("HITL_ENDPOINT", endpoint.as_str()), ("HITL_TOKEN", token)];
        let calls: [&[&str]; 6] = [
            &["list"],
            &["get", &id],
            &["answer", &id, "yes"],
            &["decline", &id],
            &["cancel", &id],
            &["token", "create", "me", "--role", "admin"],
        ];
        for call in calls {
            let done = other.hitl(call, &env).await;
            assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{call:?}: {done:?}");
            assert!(done.err.contains("token"), "it says what is missing: {done:?}");
        }
    }
    let mine = shell.out(&["get", &id, "--json"]).await;
    assert!(mine.contains("EVENT_STATE_PENDING"), "{mine}");
    shell.out(&["answer", &id, "yes"]).await;
    let done = asking.done().await;
    assert_eq!((done.code, done.out.as_str()), (Some(0), "true\n"), "{done:?}");
}

#[tokio::test]
async fn a_server_that_another_user_has_on_the_port_is_not_taken_for_ours() {
    if !can_be_shown() {
        return;
    }
    let port = free_port();
    let shell = Shell::with("HITL_RUN_ID", "");
    let mut first = shell.command(&tools::hitl());
    let first = first.arg("up").env("HITL_PORT", port.to_string()).output();
    let first = soon("the first server", first).await.expect("it runs");
    let first = of(&String::from_utf8_lossy(&first.stdout), "endpoint");
    assert_eq!(first, format!("http://127.0.0.1:{port}"));
    shell.out(&["ask", "May I?", "--type", "bool", "--detach"]).await;

    // Ours has died, and the other user has taken its port.
    shell.kill_servers().await;
    let other = Other::new();
    let foreign = other.hitl(&["up"], &[("HITL_PORT", &port.to_string())]).await;
    assert_eq!(foreign.code, Some(0), "{foreign:?}");
    assert_eq!(of(&foreign.out, "endpoint"), first);
    let asking = shell.ask(&["And now?", "--type", "bool"]).await;
    assert!(!asking.link.starts_with(&first), "{}", asking.link);
    assert!(shell.out(&["list"]).await.contains("May I?"), "it is our store");
    asking.kill().await;
    let listed = other.hitl(&["list", "--json"], &[]).await;
    assert_eq!((listed.code, listed.out.as_str()), (Some(0), ""), "{listed:?}");

    // Whoever has chosen that port is told that it is taken.
    let told = Shell::with("HITL_PORT", &port.to_string()).run(&["up"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
}
