//! `hitl ask`: asks a person and prints the answer.

use std::borrow::Cow;
use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use hitl::v1::create_event_request::Expiration;
use hitl::v1::on_timeout::Action;
use hitl::v1::{self, PromptFormat};
use hitl::{Config, ErrorKind};
use hitl_proto::visible;

use super::evidence::{EvidenceArgs, Risk};
use super::exit::{Exit, Usage};
use super::moment::{Moment, Raised};
use super::question::QuestionArgs;
use super::{ServerArgs, exhibit, open, reach, show, terminal, wait};

const HELP: &str = "\
On a terminal the link goes to stderr; the value alone goes to stdout. How the event ends is the exit code: 0 answered \
(or timed out with a default), 3 declined, 4 cancelled, 5 timed out. Ctrl-C leaves the event open.

With a run id the same --name gives the same event, so that a script which is run again gets the \
answers it already had; questions of one script then need names of their own.

Examples:
  hitl ask 'Deploy to production?' --type bool --timeout 30m
  hitl ask 'The canary is healthy [[B]].' --title 'Deploy v2.41?' --type bool --risk high --fact Version=v2.41 \
    --diff old.sql new.sql --json-file plan.json
  hitl ask 'Refund Ada?' --review refund arguments.json --schema refund.schema.json --allow approve,edit,reject
  hitl ask 'Drop the table?' --type bool --assignee ada --group sre --required 2
  hitl ask 'Where to?' --choice eu=Europe --choice us=America --default eu
  n=$(hitl ask 'How many replicas?' --type int --min 1 --max 9) && scale \"$n\"
  id=$(hitl ask 'Release notes?' --multiline --detach); …; hitl wait \"$id\"";

/// Ask a person, wait, and print the answer
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct AskArgs {
    /// The question.
    prompt: String,

    #[command(flatten)]
    question: QuestionArgs,

    /// The question in a few words: the headline above the prompt.
    #[arg(long)]
    title: Option<String>,

    /// How much is at stake. At high risk nobody answers on a page without saying that they know. [default: low]
    #[arg(long)]
    risk: Option<Risk>,

    /// Has an answer on a page confirmed in a second step, at high risk by a typed word.
    #[arg(long)]
    confirm: bool,

    /// Time until the event times out, such as 10m or 2h 30m. [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,

    /// Tells those again who were asked: 1h-before the deadline, or 10m-after the creation. May be repeated.
    #[arg(long = "remind", value_name = "TIME-WAY")]
    reminders: Vec<Moment>,

    /// Tells these channels that the question waits for too long; without names those that tell of it anyway. May be
    /// repeated.
    #[arg(long = "escalate", value_name = "TIME-WAY[=CHANNEL,…]")]
    escalations: Vec<Raised>,

    /// What lists call the event. [default: the start of the prompt]
    #[arg(long)]
    name: Option<String>,

    /// The run the event belongs to. [default: run]
    #[arg(long)]
    scope: Option<String>,

    /// Adds a label to list by. May be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Lets only this person answer: the name of who signs in, of a token, or whom a link is made for. May be repeated.
    #[arg(long = "assignee", value_name = "NAME")]
    assignees: Vec<String>,

    /// Lets only people of this group answer, beside those named by --assignee. May be repeated.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,

    /// So many people have to give the same answer. [default: the first answer counts]
    #[arg(long, value_name = "PEOPLE")]
    required: Option<u32>,

    /// Lets others answer although somebody has declined.
    #[arg(long, requires = "required")]
    outvote_declines: bool,

    /// Shows the prompt as Markdown.
    #[arg(long)]
    markdown: bool,

    /// Names this run of the script, so that it may be run again. [env: HITL_RUN_ID=]
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,

    /// Makes asking again safe whatever the run: the same key gives the same event.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,

    /// Prints the event's id (with --json the event) at once, for `hitl wait`.
    #[arg(long)]
    detach: bool,

    /// Prints the event as one line of JSON instead of the value.
    #[arg(long)]
    json: bool,

    /// Prints the link where stderr is no terminal, too. Whoever reads a log with it can answer.
    #[arg(long, env = "HITL_PRINT_LINK", value_parser = clap::builder::FalseyValueParser::new())]
    print_link: bool,

    /// Prints the link as a QR code, too, for a telephone's camera.
    #[arg(long)]
    qr: bool,

    #[command(flatten)]
    evidence: EvidenceArgs,
}

pub(super) async fn run(server: &ServerArgs, args: AskArgs) -> anyhow::Result<Exit> {
    let (detach, json) = (args.detach, args.json);
    let mut config = Config::default();
    if let Some(run_id) = &args.run_id {
        config = config.run_id(run_id);
    }
    let client = server.client_with(config)?;
    let prints_link = args.print_link || io::stderr().is_terminal();
    let qr = args.qr;
    let created = reach(&client, client.create(args.into_request()?)).await.map_err(by_options)?;
    let event = created.event.unwrap_or_default();
    if detach {
        terminal::print(&if json { show::json(&event) } else { event.id })?;
        return Ok(Exit::Done);
    }
    if event.state() == v1::EventState::Pending {
        // Indented, so that no line of a prompt says where to answer.
        let prompt = terminal::indented(&event.prompt, 2);
        let prompt = match exhibit::of(&event) {
            shown if shown.is_empty() => prompt,
            shown => format!("{prompt}\n{shown}"),
        };
        let command = format!("hitl answer {}{}", event.id, server.as_flags());
        match event.form_url.as_str() {
            "" => terminal::note(&format!("{prompt}\nWhoever may answer does so with: {command}")),
            link if prints_link => {
                terminal::note(&format!("{prompt}\nAnswer at {link}"));
                if qr {
                    terminal::note_painted(&open::code(link)?);
                }
            }
            _ => terminal::note(&format!(
                "{prompt}\nAnswer with: {command}, or in the browser: hitl inbox\n\
                 The link with which anybody can answer is shown with --print-link, since this is no terminal."
            )),
        }
    }
    wait::follow(server, &client, event, json).await
}

/// What the server refuses, said of the options that it was given by.
fn by_options(error: hitl::Error) -> anyhow::Error {
    let broken = error.field_violations();
    if error.kind() != ErrorKind::Invalid || broken.is_empty() {
        return error.into();
    }
    let said = broken.iter().map(|violation| {
        let field = violation.field.as_str();
        let option = option_of(field).map_or_else(|| visible::line(field), Cow::Borrowed);
        format!("{option}: {}", violation.description)
    });
    Usage(said.collect::<Vec<_>>().join("; "), "ask").into()
}

/// The option that sets a field of the request.
fn option_of(field: &str) -> Option<&'static str> {
    let options = [
        ("prompt", "the question"),
        ("title", "--title"),
        ("name", "--name"),
        ("scope", "--scope"),
        ("labels", "--label"),
        ("ttl", "--timeout"),
        ("reminders", "--remind"),
        ("escalations", "--escalate"),
        ("deadline", "--timeout"),
        ("on_timeout", "--default"),
        ("idempotency_key", "--idempotency-key"),
        ("assignees", "--assignee and --group"),
        ("quorum", "--required"),
        ("input.choice.options", "--choice"),
        ("input.object", "--schema"),
        ("input.review.json_schema", "--schema"),
        ("input.review.allow", "--allow"),
        ("input.review", "--review"),
        ("input.str.pattern", "--pattern"),
    ];
    let is_below = |start: &str| {
        field
            .strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let by_start = options.iter().find(|(start, _)| is_below(start)).map(|(_, option)| *option);
    by_start.or_else(|| match field.rsplit('.').next() {
        Some(last) if last.starts_with("min") => Some("--min"),
        Some(last) if last.starts_with("max") => Some("--max"),
        _ => None,
    })
}

impl AskArgs {
    fn into_request(self) -> anyhow::Result<v1::CreateEventRequest> {
        let input = self.question.input()?;
        let default = self.question.default_for(&input)?;
        let format = if self.markdown { PromptFormat::Markdown } else { PromptFormat::Text };
        let on_timeout = default.map(Action::DefaultValue);
        // Beyond what a Duration of the API holds is beyond what the server accepts: let it say so.
        let longest = prost_types::Duration { seconds: i64::MAX, nanos: 0 };
        let ttl = self.timeout.map(|timeout| timeout.try_into().unwrap_or(longest));
        let persons = self.assignees.into_iter().map(v1::Assignee::person);
        let groups = self.groups.into_iter().map(v1::Assignee::group);
        let quorum = self
            .required
            .map(|required| v1::Quorum { required, decline_ends: Some(!self.outvote_declines) });
        Ok(v1::CreateEventRequest {
            name: self.name.unwrap_or_else(|| name_of(self.title.as_ref().unwrap_or(&self.prompt))),
            title: self.title.unwrap_or_default(),
            evidence: self.evidence.items()?,
            risk: self.risk.map(v1::Risk::from).unwrap_or_default().into(),
            require_confirmation: self.confirm,
            prompt: self.prompt,
            prompt_format: format.into(),
            input: Some(v1::Input { kind: Some(input) }),
            scope: self.scope.unwrap_or_default(),
            labels: self.labels.into_iter().collect(),
            reminders: self.reminders.into_iter().map(Into::into).collect(),
            escalations: self.escalations.into_iter().map(Into::into).collect(),
            expiration: ttl.map(Expiration::Ttl),
            on_timeout: on_timeout.map(|action| v1::OnTimeout { action: Some(action) }),
            idempotency_key: self.idempotency_key.unwrap_or_default(),
            assignees: persons.chain(groups).collect(),
            quorum,
            ..Default::default()
        })
    }
}

fn name_of(prompt: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    match terminal::one_line(prompt, CHARACTERS_MAX) {
        name if name.is_empty() => "ask".to_owned(),
        name => name,
    }
}

/// Reads `KEY=VALUE`.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
