//! The flags of `hitl ask` that say which answer is wanted.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use hitl::v1;
use hitl::v1::input::Kind;
use hitl_core::{Violation, parse};

use super::default;
use super::exit::Usage;

/// The type of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Type {
    /// A whole number
    Int,
    /// A number with a fraction
    Float,
    /// Text
    Str,
    /// Yes or no, printed as true or false
    Bool,
    /// One or more of the --choice options, printed one a line
    Choice,
    /// Several fields as --schema describes them, printed as JSON
    Object,
    /// A decision on the action of --review, printed as JSON
    Review,
}

/// Which answer is wanted, and what to take when there is none.
#[derive(Args, Debug)]
pub(super) struct QuestionArgs {
    /// Type of the answer. [default: review with --review, choice with --choice, object with --schema, else str]
    #[arg(long = "type", value_name = "TYPE")]
    data_type: Option<Type>,

    /// Offers an option, with what the form shows for it. Repeat for each option.
    #[arg(long = "choice", value_name = "VALUE[=LABEL]")]
    choices: Vec<String>,

    /// Lets several options be picked.
    #[arg(long)]
    multi: bool,

    /// Smallest number, fewest characters, or fewest options.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    min: Option<String>,

    /// Largest number, most characters, or most options.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    max: Option<String>,

    /// Regular expression to be found in the text.
    #[arg(long, value_name = "REGEX")]
    pattern: Option<String>,

    /// Offers several lines to write on.
    #[arg(long)]
    multiline: bool,

    /// Asks for a decision on an action: its name, and a file with the JSON that it would be taken with.
    #[arg(long, num_args = 2, value_names = ["ACTION", "FILE"])]
    review: Vec<String>,

    /// Which decisions may be made on the action. [default: approve,edit,reject,respond]
    #[arg(long, value_name = "DECISIONS", value_delimiter = ',')]
    allow: Vec<Decision>,

    /// File with a flat JSON Schema of the fields, or with the JSON Schema of the arguments of --review.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,

    /// Value to go on with when nobody answers in time. Options one a line; an object as JSON.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    default: Option<String>,
}

impl QuestionArgs {
    /// The input these flags describe.
    pub(super) fn input(&self) -> anyhow::Result<Kind> {
        let data_type = self.data_type.unwrap_or(match (&self.schema, self.choices.is_empty()) {
            _ if !self.review.is_empty() => Type::Review,
            (_, false) => Type::Choice,
            (Some(_), true) => Type::Object,
            (None, true) => Type::Str,
        });
        self.refuse_what_does_not_fit(data_type)?;
        Ok(match data_type {
            Type::Int => Kind::Int(v1::IntInput { min: self.min()?, max: self.max()? }),
            Type::Float => Kind::Float(v1::FloatInput { min: self.min()?, max: self.max()? }),
            Type::Str => Kind::Str(v1::StrInput {
                min_length: self.min()?,
                max_length: self.max()?,
                pattern: self.pattern.clone().unwrap_or_default(),
                multiline: self.multiline,
                ..Default::default()
            }),
            Type::Bool => Kind::Bool(v1::BoolInput::default()),
            Type::Choice => Kind::Choice(self.choice()?),
            Type::Object => Kind::Object(v1::ObjectInput { json_schema: self.schema()? }),
            Type::Review => Kind::Review(self.review()?),
        })
    }

    /// The default as an answer to `input`.
    pub(super) fn default_for(&self, input: &Kind) -> anyhow::Result<Option<v1::Value>> {
        self.default.as_deref().map(|text| default::read(input, text)).transpose()
    }

    /// A restriction that would be ignored is a mistake the caller must hear of.
    fn refuse_what_does_not_fit(&self, data_type: Type) -> anyhow::Result<()> {
        let bounds = self.min.is_some() || self.max.is_some();
        for (flag, given, fits) in [
            ("--choice", !self.choices.is_empty(), data_type == Type::Choice),
            ("--multi", self.multi, data_type == Type::Choice),
            (
                "--min and --max",
                bounds,
                !matches!(data_type, Type::Bool | Type::Object | Type::Review),
            ),
            ("--review", !self.review.is_empty(), data_type == Type::Review),
            ("--allow", !self.allow.is_empty(), data_type == Type::Review),
            ("--pattern", self.pattern.is_some(), data_type == Type::Str),
            ("--multiline", self.multiline, data_type == Type::Str),
            ("--schema", self.schema.is_some(), matches!(data_type, Type::Object | Type::Review)),
        ] {
            if given && !fits {
                return Err(wrong(format!("{flag} does not go with this type of answer")));
            }
        }
        Ok(())
    }

    fn choice(&self) -> anyhow::Result<v1::ChoiceInput> {
        if self.choices.is_empty() {
            return Err(wrong("a choice needs options: give --choice for each".to_owned()));
        }
        let options = self.choices.iter().map(|choice| {
            let (value, label) = choice.split_once('=').unwrap_or((choice, ""));
            v1::ChoiceOption { value: value.into(), label: label.into(), ..Default::default() }
        });
        let all = u32::try_from(self.choices.len()).ok();
        Ok(v1::ChoiceInput {
            options: options.collect(),
            min_selected: self.min()?,
            max_selected: self.max()?.or(all.filter(|_| self.multi)),
        })
    }

    fn review(&self) -> anyhow::Result<v1::ReviewInput> {
        let [action, file] = self.review.as_slice() else {
            return Err(wrong("a review needs its action: give --review ACTION FILE".to_owned()));
        };
        Ok(v1::ReviewInput {
            action: action.clone(),
            arguments: json_of(Path::new(file))?,
            json_schema: self.schema.as_deref().map(json_of).transpose()?.unwrap_or_default(),
            allow: self.allow.iter().map(|decision| decision.message().into()).collect(),
            digest: String::new(),
        })
    }

    fn schema(&self) -> anyhow::Result<String> {
        let Some(path) = &self.schema else {
            return Err(wrong("an object needs its fields: give --schema FILE".to_owned()));
        };
        json_of(path)
    }

    fn min<N: Bound>(&self) -> anyhow::Result<Option<N>> {
        self.min.as_deref().map(|text| read("min", text)).transpose()
    }

    fn max<N: Bound>(&self) -> anyhow::Result<Option<N>> {
        self.max.as_deref().map(|text| read("max", text)).transpose()
    }
}

/// The text of a file with JSON.
fn json_of(path: &Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // Editors put a byte order mark there, and it is no part of JSON.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// What may be decided on an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decision {
    /// It may be taken as it is shown
    Approve,
    /// It may be taken with other arguments
    Edit,
    /// It may not be taken
    Reject,
    /// It may not be taken, and there is something to go on with instead
    Respond,
}

impl Decision {
    fn message(self) -> v1::ReviewDecision {
        match self {
            Self::Approve => v1::ReviewDecision::Approve,
            Self::Edit => v1::ReviewDecision::Edit,
            Self::Reject => v1::ReviewDecision::Reject,
            Self::Respond => v1::ReviewDecision::Respond,
        }
    }
}

/// A number that bounds something, typed as answers are.
trait Bound: Sized {
    fn read(text: &str) -> Result<Self, Vec<Violation>>;
}

impl Bound for i64 {
    fn read(text: &str) -> Result<Self, Vec<Violation>> {
        parse::int(text)
    }
}

impl Bound for f64 {
    fn read(text: &str) -> Result<Self, Vec<Violation>> {
        parse::float(text)
    }
}

impl Bound for u32 {
    fn read(text: &str) -> Result<Self, Vec<Violation>> {
        let message = format!("must lie between 0 and {}", Self::MAX);
        Self::try_from(parse::int(text)?).map_err(|_| vec![Violation::new("value", message)])
    }
}

fn read<N: Bound>(flag: &str, text: &str) -> anyhow::Result<N> {
    N::read(text).map_err(|broken| {
        let broken = broken.first().map_or("is not a number", |v| v.message.as_str());
        wrong(format!("--{flag} {text:?} {broken}"))
    })
}

fn wrong(message: String) -> anyhow::Error {
    Usage(message, "ask").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        question: QuestionArgs,
    }

    fn question(line: &str) -> QuestionArgs {
        let words = std::iter::once("ask").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().question
    }

    #[test]
    fn the_type_follows_from_the_other_flags() {
        assert!(matches!(question("").input().unwrap(), Kind::Str(_)));
        let Kind::Choice(choice) = question("--choice a=Alpha --choice b --multi").input().unwrap()
        else {
            panic!("a choice")
        };
        assert_eq!(choice.options[0].label, "Alpha");
        assert_eq!((choice.min_selected, choice.max_selected), (None, Some(2)));
        let bounds = v1::IntInput { min: Some(i64::MIN), max: Some(-1) };
        let line = format!("--type int --min {} --max -1", i64::MIN);
        assert_eq!(question(&line).input().unwrap(), Kind::Int(bounds));
        let bounds = v1::FloatInput { min: Some(-1.5), max: Some(1234.5) };
        let line = "--type float --min −1,5 --max 1.234,5";
        assert_eq!(question(line).input().unwrap(), Kind::Float(bounds));
    }

    #[test]
    fn a_review_is_of_an_action_and_a_file() {
        let files = tempfile::tempdir().unwrap();
        let file = files.path().join("args.json");
        std::fs::write(&file, "\u{feff}{\"amount\": 120}").unwrap();
        let file = file.to_str().unwrap();
        let line = format!("--review refund {file} --schema {file} --allow approve,reject");
        let Kind::Review(review) = question(&line).input().unwrap() else { panic!("a review") };
        assert_eq!(
            (review.action.as_str(), review.arguments.as_str()),
            ("refund", "{\"amount\": 120}")
        );
        assert_eq!(review.json_schema, "{\"amount\": 120}");
        let allowed: Vec<_> = review.allow().collect();
        assert_eq!(allowed, [v1::ReviewDecision::Approve, v1::ReviewDecision::Reject]);
        let missing = question("--review refund no-such-file").input().unwrap_err();
        assert!(missing.to_string().contains("no-such-file"), "{missing:#}");
    }

    #[test]
    fn what_would_be_ignored_is_refused_as_wrong_usage() {
        for line in [
            "--type bool --min 1",
            "--type int --choice a",
            "--type choice",
            "--type object",
            "--multi",
            "--type review",
            "--allow approve",
            "--type bool --review a b",
            "--review a b --min 1",
            "--type float --pattern x",
            "--type int --min 1.5",
            "--type str --max -1",
            "--type float --max NaN",
            "--type float --max inf",
            "--type int --max 1,000",
        ] {
            assert!(question(line).input().unwrap_err().is::<Usage>(), "{line}");
        }
    }
}
