//! A program that ends when its holder does, however that ends.
//!
//! No code of ours runs in a process that is killed, and the kernel's death signal heeds the thread that started a
//! program, which is gone with the test it ran. So a shell watches a pipe from us, which the kernel closes when we
//! are gone, kills the program and clears up.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The shell becomes the program and leaves a child behind that watches. After the pause the program is gone and
/// makes no more files.
const WATCH: &str = r#"
rubbish=$1
shift
exec 3<&0
( read -r _ <&3; kill -KILL $$; sleep 1; eval "rm -rf $rubbish" ) &
exec "$@" 3<&- </dev/null
"#;

/// How long a program may take until it serves, on a machine that also compiles.
const START_LIMIT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A program that runs as long as this value, and no longer than this process.
#[derive(Debug)]
pub struct Leash {
    child: Child,
    /// Goes away with the program, even if we are killed.
    dir: TempDir,
}

impl Leash {
    /// Starts `command` in a directory of its own, and returns at once. What matches `rubbish`, patterns of the shell,
    /// is removed when the program has ended.
    ///
    /// # Errors
    /// If there is no shell, or no room for a directory.
    pub fn start(command: &Command, rubbish: &[String]) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("hitl-store-").tempdir()?;
        let log = File::create(dir.path().join("log"))?;
        let rubbish = format!("'{}' {}", dir.path().display(), rubbish.join(" "));
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCH, "leash", &rubbish]);
        shell.arg(command.get_program()).args(command.get_args());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.current_dir(dir.path()).env("TMPDIR", dir.path());
        // A Ctrl-C is for us; the end of the pipe is for the program.
        shell.process_group(0);
        shell.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        Ok(Self { child: shell.spawn().context("cannot run sh")?, dir })
    }

    /// Returns once `check` succeeds.
    ///
    /// # Errors
    /// If the program ends first, or that takes too long; the error holds its log.
    pub async fn ready<F>(&mut self, check: impl Fn() -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        let give_up = Instant::now() + START_LIMIT;
        loop {
            let Err(unready) = check().await else {
                return Ok(());
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}: {}", self.log());
            }
            if Instant::now() > give_up {
                return Err(unready.context(format!("not in {START_LIMIT:?}: {}", self.log())));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // Errors mean that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::path::Path;

    use super::*;

    const VARIABLE: &str = "HITL_TEST_LEASH_HOLDER";

    /// Not a test but the process that the test below kills: this very program, run again with this name.
    #[test]
    fn the_holder_that_is_killed_below() {
        if std::env::var_os(VARIABLE).is_some() {
            let leash = Leash::start(Command::new("sleep").arg("600"), &[]).expect("it starts");
            println!("holds {} {}", leash.pid(), leash.dir.path().display());
            std::thread::sleep(START_LIMIT);
        }
    }

    #[tokio::test]
    async fn a_program_is_gone_and_has_left_nothing_after_its_holder_is_killed() {
        let mut holder = Command::new(std::env::current_exe().expect("we have a path"));
        holder.args(["--exact", "stores::leash::tests::the_holder_that_is_killed_below"]);
        holder.arg("--nocapture").env(VARIABLE, "1").stdout(Stdio::piped());
        let mut holder = holder.spawn().expect("it runs");
        let said = BufReader::new(holder.stdout.take().expect("it is piped")).lines();
        let mut said = said.map_while(std::io::Result::ok);
        let line = said.find_map(|line| Some(line.split_once("holds ")?.1.to_owned()));
        let line = line.expect("it says what it holds");
        let (pid, dir) = line.split_once(' ').expect("a process and a directory");
        let process = Path::new("/proc").join(pid);
        assert!(process.exists() && Path::new(dir).exists(), "{line}");
        holder.kill().expect("it dies");
        holder.wait().expect("it is reaped");
        let give_up = Instant::now() + START_LIMIT;
        while process.exists() || Path::new(dir).exists() {
            assert!(Instant::now() < give_up, "{line} is still there");
            sleep(POLL_INTERVAL).await;
        }
    }
}
