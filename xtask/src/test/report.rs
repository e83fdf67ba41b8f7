//! The summary at the end of a run: who passed, how long it took, how many tests that were.

use std::time::Duration;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Counts {
    pub(crate) const PASSED: Counts = Counts { passed: 1, failed: 0 };
    pub(crate) const FAILED: Counts = Counts { passed: 0, failed: 1 };

    /// Adds up every `test result:` line of cargo's output.
    pub(crate) fn parse(output: &str) -> Counts {
        let results = output.lines().filter(|line| line.starts_with("test result: "));
        results.fold(Counts::default(), |sum, line| {
            sum.plus(Counts {
                passed: number_before(line, " passed"),
                failed: number_before(line, " failed"),
            })
        })
    }

    pub(crate) fn plus(self, other: Counts) -> Counts {
        Counts { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

fn number_before(line: &str, word: &str) -> usize {
    line.split_once(word)
        .and_then(|(before, _)| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// How one suite went.
pub(crate) struct Outcome {
    pub(crate) suite: &'static str,
    pub(crate) counts: Counts,
    pub(crate) time: Duration,
    /// Why it failed; empty if it passed.
    pub(crate) problems: Vec<String>,
}

/// The table, the problems, and a last line with nothing but the two numbers, for machines. All took `time` together,
/// which is less than the sum, since some ran side by side.
pub(crate) fn summary(outcomes: &[Outcome], time: Duration) -> String {
    let mut lines = vec![row("suite", "result", "seconds", "passed", "failed")];
    let mut total = Counts::default();
    for outcome in outcomes {
        let result = if outcome.problems.is_empty() { "ok" } else { "FAILED" };
        lines.push(numbers(outcome.suite, result, outcome.time, outcome.counts));
        total = total.plus(outcome.counts);
    }
    lines.push(numbers("total", "", time, total));
    for outcome in outcomes {
        lines.extend(outcome.problems.iter().map(|why| format!("{}: {why}", outcome.suite)));
    }
    lines.push(format!("{} passed, {} failed", total.passed, total.failed));
    lines.join("\n")
}

fn numbers(suite: &str, result: &str, time: Duration, counts: Counts) -> String {
    let seconds = format!("{:.1}", time.as_secs_f64());
    row(suite, result, &seconds, &counts.passed.to_string(), &counts.failed.to_string())
}

fn row(suite: &str, result: &str, seconds: &str, passed: &str, failed: &str) -> String {
    format!("{suite:<15} {result:<8} {seconds:>8} {passed:>8} {failed:>8}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_results_are_added_up() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 41 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out\n\
            the answer: 99 passed\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(Counts::parse(output), Counts { passed: 42, failed: 2 });
    }

    #[test]
    fn no_test_result_counts_nothing() {
        assert_eq!(Counts::parse("error: could not compile"), Counts::default());
    }

    #[test]
    fn the_last_line_holds_the_two_numbers_alone() {
        let outcomes = [
            Outcome {
                suite: "fmt",
                counts: Counts::PASSED,
                time: Duration::from_secs(1),
                problems: Vec::new(),
            },
            Outcome {
                suite: "unit",
                counts: Counts { passed: 7, failed: 2 },
                time: Duration::from_millis(1_500),
                problems: vec!["`cargo test` ended with exit status: 101".to_owned()],
            },
        ];
        let summary = summary(&outcomes, Duration::from_millis(2_000));
        let lines: Vec<&str> = summary.lines().collect();
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["fmt", "ok", "1.0", "1", "0"]);
        assert!(lines[2].contains("FAILED"), "{summary}");
        assert_eq!(lines[3].split_whitespace().collect::<Vec<_>>(), ["total", "2.0", "8", "2"]);
        assert_eq!(lines[4], "unit: `cargo test` ended with exit status: 101");
        assert_eq!(lines[5], "8 passed, 2 failed");
    }
}
