//! `cargo xtask fuzz`: feeds what strangers can send or store with what libFuzzer makes up, beginning with the seeds in
//! `fuzz/corpus`.
//!
//! The program is built with coverage in our own crates alone (`fuzz/rustc`), so that it takes from an ordinary build
//! whatever others wrote.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::{env, thread};

use anyhow::{Context, Result, ensure};

use crate::process::run;
use crate::repo::{target, top};

const SECONDS_SHORT: u64 = 15;
const SECONDS_LONG: u64 = 300;

/// Longest that one input may take.
const TIMEOUT_S: u64 = 10;

const MEMORY_MB_MAX: u64 = 2048;

/// Longest input that is made up. What matters about sizes is tested elsewhere.
const INPUT_BYTES_MAX: u64 = 4096;

/// A target that was fed less often has shown nothing.
const EXECUTIONS_MIN: u64 = 200;

/// Most bytes of an input that are shown.
const SHOWN_BYTES_MAX: usize = 2048;

/// Runs the targets in `names`, or all. Says whether none has broken a promise.
pub(crate) fn fuzz(names: &[String], seconds: Option<u64>) -> Result<bool> {
    let is_long = env::var_os("HITL_TEST_LONG").is_some();
    let seconds = seconds.unwrap_or(if is_long { SECONDS_LONG } else { SECONDS_SHORT });
    let known = targets()?;
    for name in names {
        ensure!(known.contains(name), "no target `{name}`: there are {}", known.join(", "));
    }
    build()?;
    let queue = known.into_iter().filter(|name| names.is_empty() || names.contains(name));
    let queue = Mutex::new(queue.collect::<VecDeque<String>>());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let passed: Vec<Result<bool>> = thread::scope(|scope| {
        let work = || -> Result<bool> {
            let mut passed = true;
            while let Some(name) = next() {
                passed &= feed(&name, seconds)?;
            }
            Ok(passed)
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a worker does not panic")).collect()
    });
    passed.into_iter().try_fold(true, |all, passed| Ok(all & passed?))
}

/// The names of all targets: each has seeds, which the tests of the crate hold against its table.
fn targets() -> Result<Vec<String>> {
    let directories = fs::read_dir(top().join("fuzz/corpus")).context("fuzz/corpus")?;
    let names = directories.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn build() -> Result<()> {
    run(Command::new("cargo")
        .args(["build", "--workspace", "--bin", "fuzz"])
        .env("RUSTC_WORKSPACE_WRAPPER", top().join("fuzz/rustc"))
        .current_dir(top()))
}

/// Runs one target, and prints how it went.
fn feed(name: &str, seconds: u64) -> Result<bool> {
    let dir = target().join("fuzz").join(name);
    let found = dir.join("found");
    fs::create_dir_all(&found).with_context(|| found.display().to_string())?;
    let log = dir.join("log");
    let status = Command::new(program())
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={TIMEOUT_S}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB_MAX}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-artifact_prefix={}/", dir.display()))
        .arg(format!("-dict={}", top().join("fuzz/dictionary").display()))
        .arg("-print_final_stats=1")
        .arg(&found)
        .arg(top().join("fuzz/corpus").join(name))
        .env("HITL_FUZZ_TARGET", name)
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .status()
        .with_context(|| program().display().to_string())?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let run = Run::of(&said);
    println!(
        "fuzz {name}: {} executions, {} edges, {} inputs kept",
        run.executions, run.edges, run.kept
    );
    if status.success() && run.executions >= EXECUTIONS_MIN {
        return Ok(true);
    }
    println!("{}", failure(name, status, &said));
    Ok(false)
}

fn program() -> PathBuf {
    target().join("debug/fuzz")
}

/// What there is to say of a target that failed: its last words, and the input.
fn failure(name: &str, status: ExitStatus, said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(40)..].join("\n");
    let written = lines.iter().rev().find_map(|line| line.split_once("Test unit written to "));
    let Some((_, path)) = written else {
        return format!("{last}\nfuzz {name} ended with {status}, and wrote no input");
    };
    let input = fs::read(path).unwrap_or_default();
    let shown = input[..input.len().min(SHOWN_BYTES_MAX)].escape_ascii();
    format!(
        "{last}\nfuzz {name} ended with {status}; the input, of {} bytes, is \"{shown}\"\n\
         again: HITL_FUZZ_TARGET={name} {} {path}",
        input.len(),
        program().display()
    )
}

/// What libFuzzer says of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    executions: u64,
    /// Ways through our code that were taken.
    edges: u64,
    /// Inputs that took new ones.
    kept: u64,
}

impl Run {
    fn of(said: &str) -> Self {
        let number = |text: &str| {
            let digits = text.trim_start();
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            digits[..end].parse().unwrap_or(0)
        };
        let last = |word: &str| {
            let after = said.rsplit_once(word).map(|(_, after)| after);
            after.map_or(0, number)
        };
        Self {
            executions: last("stat::number_of_executed_units:"),
            edges: last(" cov: "),
            kept: last(" corp: "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_from_what_libfuzzer_says() {
        let said = "#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 40Mb\n\
                    #9\tNEW    cov: 812 ft: 1313 corp: 35/3b lim: 4 exec/s: 0 rss: 41Mb L: 2/2\n\
                    stat::number_of_executed_units: 94522\nstat::average_exec_per_sec:     6301\n";
        assert_eq!(Run::of(said), Run { executions: 94_522, edges: 812, kept: 35 });
        assert_eq!(Run::of("it died"), Run::default());
    }

    #[test]
    fn a_failure_shows_the_input_and_how_to_repeat_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"a\x00\"").unwrap();
        let path = file.path().display();
        let said = format!("panicked\nartifact_prefix='x/'; Test unit written to {path}\n");
        let shown = failure("form", ExitStatus::default(), &said);
        assert!(shown.contains("is \"a\\x00\\\"\""), "{shown}");
        assert!(shown.contains("HITL_FUZZ_TARGET=form"), "{shown}");
    }
}
