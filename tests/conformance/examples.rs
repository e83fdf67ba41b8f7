//! The examples of every SDK: three programs that do and print the same in each.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use crate::language::{Language, Program};
use crate::world;

/// Longest until a program says its next line, or ends: it may have to be built first.
const LINE_LIMIT: Duration = Duration::from_secs(90);

/// What is shown of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    Ask,
    WaitThroughKill,
    WaitInVain,
    List,
}

impl Shown {
    pub(crate) const ALL: [Self; 4] =
        [Self::Ask, Self::WaitThroughKill, Self::WaitInVain, Self::List];

    /// The row of the matrix.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask prints where to answer, and what comes of the answer",
            Self::WaitThroughKill => "wait is killed, and gets the answer that was given meanwhile",
            Self::WaitInVain => "wait says why there will be no answer",
            Self::List => "list prints what is pending",
        }
    }
}

/// A server, and a namespace of it.
struct Stage {
    language: &'static Language,
    endpoint: String,
    namespace: String,
    http: reqwest::Client,
}

/// An example that runs. It is killed when dropped.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Shows it in `language`.
pub(crate) async fn run(shown: Shown, language: &'static Language) -> Result<()> {
    let stage = Stage {
        language,
        endpoint: world::shared_endpoint().await?,
        namespace: format!("example-{:x}", rand::rng().random::<u64>()),
        http: support::http::client().build()?,
    };
    match shown {
        Shown::Ask => stage.ask().await,
        Shown::WaitThroughKill => stage.wait_through_kill().await,
        Shown::WaitInVain => stage.wait_in_vain().await,
        Shown::List => stage.list().await,
    }
}

impl Stage {
    async fn ask(&self) -> Result<()> {
        let mut program = self.start(Program::Ask, &[])?;
        let link = program.says("answer at ").await?;
        self.post(&api_url(&link), &json!({"value": 41})).await?;
        program.says_exactly("x is now 42").await?;
        program.ends().await
    }

    async fn wait_through_kill(&self) -> Result<()> {
        let mut first = self.start(Program::Wait, &["nightly-42"])?;
        let link = first.says("asked: answer at ").await?;
        first.child.kill().await?;
        self.post(&api_url(&link), &json!({"value": "production"})).await?;
        let mut second = self.start(Program::Wait, &["nightly-42"])?;
        let again = second.says("asked before: answer at ").await?;
        ensure!(again == link, "{again} is not {link}");
        second.says_exactly("deploying to production").await?;
        second.ends().await
    }

    async fn wait_in_vain(&self) -> Result<()> {
        let mut program = self.start(Program::Wait, &["nightly-43"])?;
        let link = program.says("asked: answer at ").await?;
        self.post(&api_url(&link), &json!({"decline": "a freeze"})).await?;
        let why = program.says("not deploying: ").await?;
        ensure!(why.contains("a freeze"), "{why:?} does not say why");
        program.ends().await
    }

    async fn list(&self) -> Result<()> {
        let prompt = "Ship it?";
        let event = json!({
            "namespace": self.namespace, "name": "ship", "prompt": prompt, "input": {"bool": {}},
        });
        let reply = self.post(&format!("{}/v1/events", self.endpoint), &event).await?;
        let id = reply["event"]["id"].as_str().context("an event has an id")?;
        let mut program = self.start(Program::List, &[])?;
        program.says_exactly(&format!("{id}  ship  \"{prompt}\"")).await?;
        program.ends().await
    }

    fn start(&self, program: Program, arguments: &[&str]) -> Result<Running> {
        let mut command = self.language.command(program);
        command.args(arguments).env("HITL_ENDPOINT", &self.endpoint);
        command.env("HITL_NAMESPACE", &self.namespace);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        Ok(Running { child, lines: BufReader::new(stdout).lines() })
    }

    async fn post(&self, url: &str, body: &Json) -> Result<Json> {
        let reply = self.http.post(url).json(body).send().await?;
        let status = reply.status();
        let body = reply.text().await?;
        ensure!(status.is_success(), "{url} replied {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }
}

impl Running {
    /// What follows `start` in the next line.
    async fn says(&mut self, start: &str) -> Result<String> {
        let line = timeout(LINE_LIMIT, self.lines.next_line()).await;
        let line = line.with_context(|| format!("it does not say {start:?}"))??;
        let line = line.with_context(|| format!("it ended before it said {start:?}"))?;
        let rest = line.strip_prefix(start);
        rest.map(str::to_owned).with_context(|| format!("it said {line:?}, not {start:?}"))
    }

    async fn says_exactly(&mut self, line: &str) -> Result<()> {
        let rest = self.says(line).await?;
        ensure!(rest.is_empty(), "it said {rest:?} after {line:?}");
        Ok(())
    }

    /// It says nothing more and succeeds.
    async fn ends(mut self) -> Result<()> {
        let end = async { anyhow::Ok((self.lines.next_line().await?, self.child.wait().await?)) };
        let (more, status) = timeout(LINE_LIMIT, end).await.context("it does not end")??;
        ensure!(more.is_none() && status.success(), "it said {more:?} and ended with {status}");
        Ok(())
    }
}

/// Where programs answer, from where people do.
fn api_url(link: &str) -> String {
    link.replacen("/q/", "/v1/links/", 1)
}
