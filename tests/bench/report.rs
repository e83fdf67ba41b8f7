//! The table: each figure beside its baseline, with the ratio and what was aimed at.

use std::fmt;
use std::time::Duration;

use anyhow::Result;

use crate::cli::Plan;
use crate::machine::Machine;
use crate::process::human;

const HEAD: [&str; 8] = ["figure", "at", "hitl", "beside", "", "ratio", "target", "verdict"];
const PAGE: &str = include_str!("benchmarks.md");

/// What a figure should come to.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// At least this part of the baseline.
    AtLeast(f64),
    /// At most so many times the baseline.
    AtMost(f64),
    /// At most this, whatever the baseline.
    Within(Duration),
    /// Above the baseline by less than so many bytes for each of so many.
    EachBelow { count: usize, bytes: f64 },
}

impl Target {
    /// What is aimed at, and the part of it that was reached: 1 or more is met.
    fn judge(self, ours: f64, beside: f64) -> (String, f64) {
        match self {
            Self::AtLeast(part) => (format!("≥ {:.0}%", part * 100.0), ours / beside / part),
            Self::AtMost(times) => (format!("≤ {times}x"), times * beside / ours),
            Self::Within(limit) => (format!("< {limit:?}"), limit.as_secs_f64() / ours),
            Self::EachBelow { count, bytes } => {
                let each = (ours - beside).max(0.0) / count as f64;
                (format!("none each ({each:.1} B)"), bytes / each)
            }
        }
    }
}

/// One line of the table.
pub(crate) struct Row {
    figure: String,
    cells: [String; 7],
}

impl Row {
    /// Operations a second, with so many callers.
    pub(crate) fn rates(
        figure: &str,
        callers: usize,
        ours: f64,
        beside: (&str, f64),
        target: Option<Target>,
    ) -> Self {
        let show = |rate: f64| grouped(rate.round() as usize);
        Self::new(figure, &many(callers, "caller"), ours, beside, show, target)
    }

    /// The processor time that a server takes for one operation.
    pub(crate) fn cpu(
        what: &str,
        callers: usize,
        ours: Duration,
        beside: (&str, Duration),
        target: Option<Target>,
    ) -> Self {
        let figure = format!("server's processor time for {what}");
        Self::times(&figure, &many(callers, "caller"), ours, beside, target)
    }

    /// Times, in a case.
    pub(crate) fn times(
        figure: &str,
        case: &str,
        ours: Duration,
        beside: (&str, Duration),
        target: Option<Target>,
    ) -> Self {
        let show = |seconds: f64| match seconds {
            _ if seconds < 0.001 => format!("{:.0} µs", seconds * 1e6),
            _ if seconds < 0.01 => format!("{:.2} ms", seconds * 1e3),
            _ if seconds < 10.0 => format!("{:.0} ms", seconds * 1e3),
            _ => format!("{seconds:.0} s"),
        };
        let beside = (beside.0, beside.1.as_secs_f64());
        Self::new(figure, case, ours.as_secs_f64(), beside, show, target)
    }

    /// Bytes, in a case.
    pub(crate) fn bytes(
        figure: &str,
        case: &str,
        ours: f64,
        beside: (&str, f64),
        target: Option<Target>,
    ) -> Self {
        Self::new(figure, case, ours, beside, human, target)
    }

    fn new(
        figure: &str,
        case: &str,
        ours: f64,
        (baseline, beside): (&str, f64),
        show: impl Fn(f64) -> String,
        target: Option<Target>,
    ) -> Self {
        let (target, verdict) = match target.map(|target| target.judge(ours, beside)) {
            None => (String::new(), String::new()),
            Some((target, reached)) if reached >= 1.0 => (target, "met".to_owned()),
            Some((target, reached)) => {
                (target, format!("short by {:.0}%", (1.0 - reached) * 100.0))
            }
        };
        let ratio = format!("{:.2}", ours / beside);
        let cells = [
            case.to_owned(),
            show(ours),
            show(beside),
            baseline.to_owned(),
            ratio,
            target,
            verdict,
        ];
        Self { figure: figure.to_owned(), cells }
    }

    fn has_target(&self) -> bool {
        let [.., target, _] = &self.cells;
        !target.is_empty()
    }

    fn cells(&self) -> [&str; HEAD.len()] {
        let [case, ours, beside, baseline, ratio, target, verdict] = &self.cells;
        [&self.figure, case, ours, beside, baseline, ratio, target, verdict]
    }
}

/// All that was measured in one run.
pub(crate) struct Report {
    machine: Machine,
    load: Duration,
    rounds: usize,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        let dir = plan.fresh_dir()?;
        Ok(Self {
            machine: Machine::look(dir.path())?,
            load: plan.load,
            rounds: plan.rounds,
            rows: Vec::new(),
        })
    }

    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }

    /// The page about the benchmarks, with these figures.
    pub(crate) fn markdown(&self) -> String {
        PAGE.replace("{machine}", &self.machine.to_string())
            .replace("{runs}", &self.runs())
            .replace("{aims}", &table(self.rows.iter().filter(|row| row.has_target())))
            .replace("{rest}", &table(self.rows.iter().filter(|row| !row.has_target())))
    }

    fn runs(&self) -> String {
        format!("{} of {:?} each", many(self.rounds, "round"), self.load)
    }
}

fn table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let line = |cells: [&str; HEAD.len()]| format!("| {} |", cells.join(" | "));
    let head = [line(HEAD), "|---|---|--:|--:|---|--:|---|---|".to_owned()];
    head.into_iter().chain(rows.map(|row| line(row.cells()))).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; {}\n", self.machine, self.runs())?;
        let lines: Vec<_> = std::iter::once(HEAD).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| {
            let cells = lines.iter().map(|line| line[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let widths: [usize; HEAD.len()] = std::array::from_fn(width);
        for line in &lines {
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                match column {
                    2 | 3 | 5 => write!(f, "{cell:>width$}  ")?,
                    _ => write!(f, "{cell:<width$}  ")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// So many of something that takes an s.
pub(crate) fn many(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {what}{s}", grouped(number))
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
