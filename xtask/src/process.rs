//! Starts other programs, and shows what it starts: a failing step can be repeated by hand.

use std::io::{self, Read, Write};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
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

/// Runs `command` with our own input and output; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status();
    check(command, status)
}

/// Like [`run`], and returns what the program wrote to its standard output, which is shown too.
pub(crate) fn run_and_read(command: &mut Command) -> (String, Result<()>) {
    announce(command);
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return (String::new(), check(command, Err(error))),
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (end_sender, end) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        let seen = Arc::clone(&seen);
        thread::spawn(move || {
            copy(stdout, &seen);
            // Nobody listens any more if the output went on after its program.
            let _ = end_sender.send(());
        });
    }
    let status = child.wait();
    let _ = end.recv_timeout(DRAIN_MAX);
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    (String::from_utf8_lossy(&seen).into_owned(), check(command, status))
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

/// Copies chunks, not lines: the name of the test that hangs must be seen while it hangs.
fn copy(mut from: ChildStdout, seen: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        let mut out = io::stdout().lock();
        // A closed terminal must not end the run.
        let _ = out.write_all(&chunk[..length]).and_then(|()| out.flush());
        seen.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..length]);
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
        let (seen, result) = run_and_read(Command::new("sh").args(["-c", "echo shown; exit 3"]));
        assert_eq!(seen, "shown\n");
        let message = result.expect_err("status 3 is a failure").to_string();
        assert!(message.contains("exit status: 3"), "{message}");
    }

    #[test]
    fn a_program_left_behind_does_not_hang_the_run() {
        let (seen, result) = run_and_read(Command::new("sh").args(["-c", "echo shown; sleep 9 &"]));
        assert_eq!(seen, "shown\n");
        assert!(result.is_ok());
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = run(&mut Command::new("no-such-program")).expect_err("nothing to start");
        assert!(format!("{error:#}").contains("no-such-program"), "{error:#}");
    }
}
