//! One suite of scenarios that every SDK has to pass, against the real server.
//!
//! A scenario is data: what a program asks of its SDK, what happens to the server and to the program meanwhile, and
//! what must come back. Each SDK has an adapter, a small program that does what it is told a line at a time. What a
//! language cannot pass is listed in the scenario with the reason; it runs all the same, and the entry must go when
//! it passes.

mod adapter;
mod examples;
mod expect;
mod guarded;
mod language;
mod matrix;
mod messages;
mod scenario;
mod scripted;
mod tunnels;
mod vars;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use examples::Shown;
use language::{LANGUAGES, Language};
use matrix::Matrix;
use scenario::{Scenario, Suite};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let suites = scenario::all().unwrap_or_else(|error| panic!("{error:#}"));
    let runtime = Arc::new(Runtime::new().expect("the machine has threads"));
    let matrix = Arc::new(Matrix::default());
    let mut trials = Vec::new();
    for suite in &suites {
        for scenario in &suite.scenarios {
            for language in LANGUAGES {
                trials.push(trial(&runtime, &matrix, suite, scenario, language));
            }
        }
    }
    for shown in Shown::ALL {
        for language in LANGUAGES {
            trials.push(example(&runtime, &matrix, shown, language));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    runtime.block_on(adapter::end_all());
    if !arguments.list {
        println!("{matrix}");
    }
    conclusion.exit_code()
}

fn trial(
    runtime: &Arc<Runtime>,
    matrix: &Arc<Matrix>,
    suite: &Suite,
    scenario: &Scenario,
    language: &'static Language,
) -> Trial {
    let name = format!("{}::{}::{}", suite.suite, slug(&scenario.name), language.name);
    let (runtime, matrix) = (runtime.clone(), matrix.clone());
    let (suite, scenario) = (suite.suite.clone(), scenario.clone());
    Trial::test(name, move || {
        let went = runtime.block_on(world::run(&scenario, language));
        let known = scenario.fails_in.get(language.name);
        let verdict = match (went, known) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(_)) => Err("it passes: remove it from `fails_in`".to_owned()),
            (Err(error), None) => Err(format!("{error:#}")),
            (Err(_), Some(_)) => Ok(()),
        };
        matrix.note(&suite, &scenario.name, language, verdict.is_ok(), known);
        verdict.map_err(Failed::from)
    })
}

fn example(
    runtime: &Arc<Runtime>,
    matrix: &Arc<Matrix>,
    shown: Shown,
    language: &'static Language,
) -> Trial {
    let name = format!("examples::{}::{}", slug(shown.name()), language.name);
    let (runtime, matrix) = (runtime.clone(), matrix.clone());
    Trial::test(name, move || {
        let went = runtime.block_on(examples::run(shown, language));
        matrix.note("examples", shown.name(), language, went.is_ok(), None);
        went.map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// The name of a row of the matrix as part of the name of a test.
fn slug(name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(word).collect()
}
