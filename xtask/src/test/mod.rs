//! `cargo xtask test`: every test there is, by one command, on a machine that has only toolchains.

mod report;
mod suites;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::process::{Output, run_and_read};
use crate::repo::top;
use crate::tools::{self, Env, Need};
use report::{Counts, Outcome};
use suites::{FIRST_STORE, LANES, Lane, OF_ANY_STORE, SUITES, Step, Suite};

/// Always the whole workspace, though one package would do: other packages mean other features of what they depend on,
/// and those would be built again for each choice.
const CARGO_TEST: &[&str] = &["cargo", "test", "--no-fail-fast", "--workspace"];

/// More than there are cores, since these tests wait most of the time: for a store, a process or a deadline.
const END_TO_END_THREADS: &str = "RUST_TEST_THREADS=6";

/// How much is done by the suites that leave it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// What CI has time for.
    Short,
    Long,
}

/// Runs the suites in `names`, or all; `arguments` go to `cargo test`. Says whether all passed.
pub(crate) fn test(names: &[String], length: Length, arguments: &[String]) -> Result<bool> {
    let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    for name in names {
        ensure!(
            known.contains(&name.as_str()),
            "no suite `{name}`: there are {}",
            known.join(", ")
        );
    }
    let named = |suite: &&Suite| {
        let is_named = names.iter().any(|name| name == suite.name);
        is_named || names.is_empty() && !suite.is_only_by_name
    };
    let suites: Vec<&Suite> = SUITES.iter().filter(named).collect();
    let session = Session { length, arguments, provided: Mutex::default() };
    let begun = Instant::now();
    let outcomes = thread::scope(|scope| {
        scope.spawn(|| session.fetch(&suites));
        LANES.iter().flat_map(|lanes| session.run_beside(lanes, &suites)).collect::<Vec<_>>()
    });
    println!("\n{}", report::summary(&outcomes, begun.elapsed()));
    Ok(outcomes.iter().all(|outcome| outcome.problems.is_empty()))
}

/// One run of `cargo xtask test`.
struct Session<'a> {
    length: Length,
    arguments: &'a [String],
    /// Needs by name, each met once for all suites: what failed to install fails again, slowly.
    provided: Mutex<BTreeMap<&'static str, Provided>>,
}

/// A need that is met, or being met, by whoever came first.
type Provided = Arc<OnceLock<Result<Env, String>>>;

impl Session<'_> {
    /// Meets what comes from the network, in the order in which it will be asked for, while the rest goes on.
    fn fetch(&self, suites: &[&Suite]) {
        let needs = suites.iter().flat_map(|suite| suite.needs.concat());
        for need in needs.filter(|need| need.is_fetched) {
            // Whoever needs it will say so.
            let _ = self.meet(need);
        }
    }

    /// Runs those of `suites` that are in these lanes, a thread for each lane. Once more than one has something to run,
    /// the output of a suite is shown when it has ended.
    fn run_beside(&self, lanes: &[Lane], suites: &[&Suite]) -> Vec<Outcome> {
        let of_lane = |lane: &Lane| -> Vec<&Suite> {
            suites.iter().filter(|suite| suite.lane == *lane).copied().collect()
        };
        let lanes: Vec<_> = lanes.iter().map(of_lane).filter(|lane| !lane.is_empty()).collect();
        let is_alone = lanes.len() < 2;
        thread::scope(|scope| {
            let run = |suites: Vec<&Suite>| -> Vec<Outcome> {
                suites.into_iter().map(|suite| self.run_shown(suite, is_alone)).collect()
            };
            let threads: Vec<_> =
                lanes.into_iter().map(|suites| scope.spawn(move || run(suites))).collect();
            let ended = threads.into_iter().map(ScopedJoinHandle::join);
            ended.flat_map(|outcomes| outcomes.expect("a lane does not panic")).collect()
        })
    }

    fn run_shown(&self, suite: &Suite, is_alone: bool) -> Outcome {
        let mut output = if is_alone {
            Output::Shown
        } else {
            println!("--- {} begins", suite.name);
            Output::Held(Vec::new())
        };
        output.say(&format!("\n=== {}", suite.name));
        let outcome = self.run(suite, &mut output);
        output.show();
        outcome
    }

    fn run(&self, suite: &Suite, output: &mut Output) -> Outcome {
        let start = Instant::now();
        let mut counts = Counts::default();
        let mut problems = Vec::new();
        match self.provide(&suite.needs.concat()) {
            Ok(env) => {
                for step in suite.steps {
                    let (counted, result) = self.step(step, &env, output);
                    counts = counts.plus(counted);
                    problems.extend(result.err().map(|error| format!("{error:#}")));
                }
            }
            Err(problem) => problems.push(problem),
        }
        if !problems.is_empty() && counts.failed == 0 {
            // What failed before any test could, such as a build.
            counts = counts.plus(Counts::FAILED);
        }
        Outcome { suite: suite.name, counts, time: start.elapsed(), problems }
    }

    fn provide(&self, needs: &[&Need]) -> Result<Env, String> {
        let mut env = Env::new();
        if self.length == Length::Long {
            env.push(("HITL_TEST_LONG", "1".into()));
        }
        for need in needs {
            env.extend(self.meet(need)?);
        }
        Ok(env)
    }

    fn meet(&self, need: &Need) -> Result<Env, String> {
        let provided = {
            let mut all = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(need.name).or_default().clone()
        };
        let meet = || (need.provide)().map_err(|error| format!("no {}: {error:#}", need.name));
        provided.get_or_init(meet).clone()
    }

    fn step(&self, step: &Step, env: &Env, output: &mut Output) -> (Counts, Result<()>) {
        match step {
            Step::Check(words) => {
                let check = command(words, env);
                match check.and_then(|mut check| run_and_read(&mut check, output).1) {
                    Ok(()) => (Counts::PASSED, Ok(())),
                    Err(error) => (Counts::FAILED, Err(error)),
                }
            }
            Step::CargoTest(words) => self.tests(&[CARGO_TEST, *words].concat(), env, output),
            Step::EndToEnd(store) => {
                // Variables are part of the command, so that what is shown can be repeated by hand.
                let variable = format!("HITL_TEST_STORE={store}");
                let variables = ["env", &variable, END_TO_END_THREADS];
                let skipped = self.skipped(store);
                let words = [&variables, CARGO_TEST, &["--test", "e2e"], &skipped].concat();
                self.tests(&words, env, output)
            }
        }
    }

    /// The arguments that leave out the end-to-end tests which the first kind of store was enough for. A developer who
    /// gives arguments chooses alone.
    fn skipped(&self, store: &str) -> Vec<&'static str> {
        let is_whole = store == FIRST_STORE || self.length == Length::Long;
        if is_whole || !self.arguments.is_empty() {
            return Vec::new();
        }
        let skips = OF_ANY_STORE.iter().flat_map(|module| ["--skip", *module]);
        ["--"].into_iter().chain(skips).collect()
    }

    fn tests(&self, words: &[&str], env: &Env, output: &mut Output) -> (Counts, Result<()>) {
        match command(words, env) {
            Ok(mut test) => {
                let (said, result) = run_and_read(test.args(self.arguments), output);
                (Counts::parse(&said), result)
            }
            Err(error) => (Counts::FAILED, Err(error)),
        }
    }
}

fn command(words: &[&str], env: &Env) -> Result<Command> {
    let (program, arguments) = words.split_first().expect("a step names its program");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(top()).env("PATH", tools::path()?).envs(env.clone());
    Ok(command)
}
