//! A program on the server's machine, which tells in a way of its own.
//!
//! It is off unless the operator names a directory, and then only programs of that directory are run, without a shell
//! and with nothing of the server's environment but the search path. So an admin of the service gains no more on the
//! machine than whoever fills that directory gives.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use hitl_core::Violation;
use hitl_proto::{v1, visible};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::webhook::payload;
use super::{Channel, ChannelConfig, Message, Receipt, Secrets, Tools, Undelivered};

/// Longest that a program may run.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most arguments, and longest of one.
const ARGUMENTS_MAX: usize = 20;
const ARGUMENT_BYTES_MAX: usize = 1_000;
/// Bytes of what a program prints that are read.
const OUTPUT_BYTES_MAX: u64 = 4_096;
/// Where the programs that it runs itself are looked for.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The settings of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecConfig {
    program: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<String>,
}

#[derive(Debug)]
struct Exec {
    config: ExecConfig,
    directory: Option<PathBuf>,
}

impl ExecConfig {
    pub(super) fn read(
        asked: v1::ExecSettings,
        tools: &Tools,
    ) -> Result<(ChannelConfig, Secrets), Violation> {
        let v1::ExecSettings { program, arguments } = asked;
        let wrong =
            |field: &str, message: String| Violation::new(format!("channel.exec.{field}"), message);
        let is_short =
            arguments.iter().all(|it| it.len() <= ARGUMENT_BYTES_MAX && !it.contains('\0'));
        if arguments.len() > ARGUMENTS_MAX || !is_short {
            let message =
                format!("must be at most {ARGUMENTS_MAX}, of {ARGUMENT_BYTES_MAX} bytes each");
            return Err(wrong("arguments", message));
        }
        find(tools.exec_dir.as_deref(), &program).map_err(|why| wrong("program", why))?;
        Ok((ChannelConfig::Exec(Self { program, arguments }), Secrets::default()))
    }

    pub(super) fn shown(&self) -> v1::ExecSettings {
        let Self { program, arguments } = self.clone();
        v1::ExecSettings { program, arguments }
    }

    pub(super) fn open(self, _: Secrets, tools: &Tools) -> Box<dyn Channel> {
        Box::new(Exec { config: self, directory: tools.exec_dir.clone() })
    }
}

/// The program of this name in `directory`.
fn find(directory: Option<&Path>, name: &str) -> Result<PathBuf, String> {
    let Some(directory) = directory else {
        return Err("cannot be run: start the server with --channel-exec-dir".to_owned());
    };
    let is_name = !name.is_empty()
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !is_name {
        return Err(
            "must be the name of a program in the directory of --channel-exec-dir".to_owned()
        );
    }
    let absent = || format!("is no program in {}", directory.display());
    // Where it really is: a link must not lead out.
    let place = directory.canonicalize().map_err(|_| absent())?;
    let program = place.join(name).canonicalize().map_err(|_| absent())?;
    if program.parent() != Some(&place) || !program.is_file() {
        return Err(absent());
    }
    Ok(program)
}

#[async_trait]
impl Channel for Exec {
    async fn send(&self, message: &Message) -> Result<Receipt, Undelivered> {
        let program = find(self.directory.as_deref(), &self.config.program)
            .map_err(|why| Undelivered::later(format!("{} {why}", self.config.program)))?;
        let run = self.run(&program, message);
        match tokio::time::timeout(PATIENCE, run).await {
            Ok(ran) => ran,
            Err(_) => Err(Undelivered::later("it ran for more than 15 s, and was ended")),
        }
    }
}

impl Exec {
    async fn run(&self, program: &Path, message: &Message) -> Result<Receipt, Undelivered> {
        let failed =
            |error: std::io::Error| Undelivered::later(format!("it cannot be run: {error}"));
        let mut child = Command::new(program)
            .args(&self.config.arguments)
            .current_dir(program.parent().unwrap_or(Path::new("/")))
            .env_clear()
            .env("PATH", SEARCH_PATH)
            .env("HITL_DELIVERY_ID", message.id.to_string())
            .env("HITL_DELIVERY_KIND", message.told.name())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let input = payload(message, true).to_string();
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            // A program that does not read its input may still do its work.
            if let Some(mut stdin) = stdin {
                drop(stdin.write_all(input.as_bytes()).await);
            }
        };
        let ((), out, err, status) =
            tokio::join!(write, beginning(stdout), beginning(stderr), child.wait());
        let status = status.map_err(failed)?;
        if status.success() {
            return Ok(Receipt { reference: out, summary: "status 0".to_owned() });
        }
        let said = if err.is_empty() { String::new() } else { format!(": {err}") };
        Err(Undelivered::later(format!("it ended with {status}{said}")))
    }
}

/// The first line of what a program prints, all of which is read.
async fn beginning(output: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let Some(mut output) = output else { return String::new() };
    let mut bytes = Vec::new();
    drop((&mut output).take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).await);
    drop(tokio::io::copy(&mut output, &mut tokio::io::sink()).await);
    let text = String::from_utf8_lossy(&bytes);
    visible::cut_line(text.lines().next().unwrap_or_default(), 200)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::Retry;
    use super::super::samples::{ended_message, message};
    use super::*;
    use hitl_core::Told;

    fn program(directory: &Path, name: &str, script: &str) {
        let path = directory.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn exec(directory: &Path, program: &str, arguments: &[&str]) -> Exec {
        let arguments = arguments.iter().map(|&it| it.to_owned()).collect();
        let config = ExecConfig { program: program.to_owned(), arguments };
        Exec { config, directory: Some(directory.to_owned()) }
    }

    #[tokio::test]
    async fn a_program_reads_the_message_and_says_what_became_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        program(at, "tell", "cat > \"$1\"; env > env; echo \"ref $HITL_DELIVERY_KIND\"");
        program(at, "fail", "echo broken >&2; exit 3");
        let sent = exec(at, "tell", &["got; rm -rf x"]).send(&message(Told::Asked)).await.unwrap();
        assert_eq!(sent.reference, "ref asked");
        let got = std::fs::read_to_string(at.join("got; rm -rf x")).unwrap();
        let got: serde_json::Value = serde_json::from_str(&got).unwrap();
        assert_eq!(got["data"]["link"], "https://hitl.example/q/CANARY");
        assert_eq!(got["type"], "event.asked");
        let env = std::fs::read_to_string(at.join("env")).unwrap();
        assert!(!env.contains("CARGO") && !env.contains("HOME="), "{env}");
        let failed = exec(at, "fail", &[]).send(&ended_message()).await.unwrap_err();
        assert_eq!(failed.retry, Retry::Later);
        assert!(failed.reason.contains("exit status: 3: broken"), "{}", failed.reason);
    }

    #[test]
    fn only_a_program_of_the_directory_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        program(at, "tell", "true");
        std::os::unix::fs::symlink("/bin/sh", at.join("out")).unwrap();
        std::fs::create_dir(at.join("sub")).unwrap();
        assert!(find(Some(at), "tell").is_ok());
        for bad in ["", ".", "..", "../tell", "/bin/sh", "out", "sub", "absent", "te ll", ".tell"] {
            assert!(find(Some(at), bad).is_err(), "{bad}");
        }
        assert!(find(None, "tell").unwrap_err().contains("--channel-exec-dir"));
    }
}
