//! Starts other programs, and shows what it starts: a failing step can be repeated by hand.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// How often something that needs the network is tried.
const ATTEMPTS_MAX: u32 = 3;

/// Pause between two attempts.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// How long output may still come after its program has ended. A test that leaves a server behind
/// leaves the pipe open too, and must not hang the run.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// How often it is looked whether a program that writes nothing has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Runs `command` with our own input and output; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status();
    check(command, status)
}

/// Where the output of a program goes that others may run beside.
pub(crate) enum Output {
    /// To our own, as it comes: the name of the test that hangs must be seen while it hangs.
    Shown,
    /// Here, until [`Output::show`], so that it does not mix with that of others.
    Held(Vec<u8>),
}

impl Output {
    /// Adds a line of ours.
    pub(crate) fn say(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// Shows what is held.
    pub(crate) fn show(self) {
        if let Self::Held(held) = self {
            Self::Shown.write(&held);
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Shown => {
                let mut out = io::stdout().lock();
                // A closed terminal must not end the run.
                let _ = out.write_all(bytes).and_then(|()| out.flush());
            }
            Self::Held(held) => held.extend_from_slice(bytes),
        }
    }
}

/// Like [`run`], with the output and the errors of the program in `output`; returns them, too.
pub(crate) fn run_and_read(command: &mut Command, output: &mut Output) -> (String, Result<()>) {
    output.say(&format!("$ {}", shown(command)));
    let (mut child, chunks) = match start(command) {
        Ok(started) => started,
        Err(error) => return (String::new(), check(command, Err(error))),
    };
    let mut seen = Vec::new();
    let mut ended = None;
    let status = loop {
        let patience = if ended.is_some() { DRAIN_MAX } else { LOOK };
        match chunks.recv_timeout(patience) {
            Ok(chunk) => {
                output.write(&chunk);
                seen.extend_from_slice(&chunk);
            }
            Err(RecvTimeoutError::Timeout) if ended.is_none() => {}
            Err(_) => break ended.take().unwrap_or_else(|| child.wait()),
        }
        if ended.is_none() {
            ended = child.try_wait().transpose();
        }
    };
    (String::from_utf8_lossy(&seen).into_owned(), check(command, status))
}

/// Starts `command`, and has what it writes sent on.
fn start(command: &mut Command) -> io::Result<(Child, Receiver<Vec<u8>>)> {
    let (mut from, to) = io::pipe()?;
    let child = command.stdin(Stdio::null()).stdout(to.try_clone()?).stderr(to).spawn()?;
    // Our own ends of the pipe, without which the output would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, chunks) = mpsc::channel();
    thread::spawn(move || {
        let mut chunk = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut chunk) {
            // Nobody listens any more if the output goes on after its program.
            if sender.send(chunk[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    Ok((child, chunks))
}

/// Runs `command` unseen and returns its standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    ensure!(output.status.success(), "{} ended with {}", shown(command), output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Repeats `attempt`, which needs the network, when it fails.
pub(crate) fn retry(what: &str, attempt: impl Fn() -> Result<()>) -> Result<()> {
    for number in 1.. {
        match attempt() {
            Ok(()) => break,
            Err(error) if number == ATTEMPTS_MAX => {
                return Err(error.context(format!("cannot {what}; tried {number} times")));
            }
            Err(error) => {
                eprintln!("cannot {what} yet: {error:#}");
                thread::sleep(RETRY_PAUSE);
            }
        }
    }
    Ok(())
}

fn check(command: &Command, status: io::Result<ExitStatus>) -> Result<()> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("`{}` ended with {status}", shown(command)),
        Err(error) => Err(error).with_context(|| format!("cannot start `{}`", shown(command))),
    }
}

fn announce(command: &Command) {
    println!("$ {}", shown(command));
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_returned_even_if_the_program_fails() {
        let (seen, result) = run_and_read(
            Command::new("sh").args(["-c", "echo shown; echo error >&2; exit 3"]),
            &mut Output::Shown,
        );
        assert_eq!(seen, "shown\nerror\n");
        let message = result.expect_err("status 3 is a failure").to_string();
        assert!(message.contains("exit status: 3"), "{message}");
    }

    #[test]
    fn a_program_left_behind_does_not_hang_the_run() {
        let (seen, result) = run_and_read(
            Command::new("sh").args(["-c", "echo shown; sleep 9 &"]),
            &mut Output::Shown,
        );
        assert_eq!(seen, "shown\n");
        assert!(result.is_ok());
    }

    #[test]
    fn what_is_held_begins_with_the_command() {
        let mut output = Output::Held(Vec::new());
        let (_, result) = run_and_read(Command::new("echo").arg("shown"), &mut output);
        assert!(result.is_ok());
        let Output::Held(held) = output else { panic!("it is held") };
        assert_eq!(String::from_utf8_lossy(&held), "$ echo shown\nshown\n");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = run(&mut Command::new("no-such-program")).expect_err("nothing to start");
        assert!(format!("{error:#}").contains("no-such-program"), "{error:#}");
    }
}
