//! Scenarios as they are written: files of `scenarios/`, read strictly.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::language::LANGUAGES;

/// One file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
    pub(crate) suite: String,
    pub(crate) scenarios: Vec<Scenario>,
}

/// One row of the matrix.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// Environment of a program of its own; without it, programs of other scenarios are shared.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Whether the SDK is to find no server, and start one.
    #[serde(default)]
    pub(crate) no_server: bool,
    /// Whether there is a server, at `{scripted}` (on the port `{scripted_port}`), that refuses every read with the
    /// reason that it is asked for, and answers a hundred waits on one stream with the number of streams that there
    /// were, `AUTHORIZATION` with that, `TEAM` with the header `x-team`, and `SILENCE` never.
    #[serde(default)]
    pub(crate) scripted: bool,
    /// Whether there is a server, at `{server}`, that wants a credential; `{good}`, `{reader}` (who may only look),
    /// `{revoked}` and `{expired}` are tokens for it.
    #[serde(default)]
    pub(crate) credentials: bool,
    /// Whether there is a proxy, at `{proxy}` (its HOST:PORT), that opens tunnels by CONNECT, and knows where
    /// `hitl.test` is, which nobody else does.
    #[serde(default)]
    pub(crate) proxy: Option<Tunnels>,
    /// Languages that cannot pass yet, and why.
    #[serde(default)]
    pub(crate) fails_in: BTreeMap<String, String>,
    pub(crate) steps: Vec<Step>,
}

/// How a proxy is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tunnels {
    /// What it wants, as `USER:PASSWORD`.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// The status with which it refuses all.
    #[serde(default)]
    pub(crate) refuses: Option<u16>,
}

/// One thing that happens, and what must come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    /// So many times at once, as `{i}` from 0.
    pub(crate) each: usize,
    pub(crate) outcome: Outcome,
    /// Longest that the replies may take, where that is shorter than ever.
    pub(crate) within: Option<Duration>,
    /// Keeps what came back under this name.
    pub(crate) save: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Tells the adapter something, and waits for its reply.
    Call(Json),
    /// Tells it the same again and again until it succeeds with at least what is expected.
    Until(Json),
    /// Tells it something, and goes on; the reply is known by this name.
    Start(Json, String),
    /// Waits for the reply of that name.
    Join(String),
    Http(Http),
    Server(ServerDeed),
    Network(NetworkDeed),
    /// That so many servers run which SDKs have started.
    Servers(usize),
    /// That the proxy has opened so many tunnels, from the beginning.
    Tunnels(usize),
    /// Tells so many other programs at once, each of which starts for it.
    Crowd(Json, usize),
    /// Kills the program, and starts it again.
    RestartProgram,
}

/// A request to the server by somebody without an SDK.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    /// Whole, such as `{e.api_url}`.
    pub(crate) post: String,
    pub(crate) json: Json,
}

/// What happens to the server.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServerDeed {
    /// Kill -9, and it stays away.
    Kill,
    /// It comes back on the same port and store.
    Start,
    /// It stands still: connections stay open and nothing answers.
    Pause,
    Resume,
    /// It is told to end, and comes back.
    Restart,
    /// It stays away for 30 s.
    LongOutage,
}

/// What happens between the SDK and the server, to the connections that there are; new ones are as good as ever.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NetworkDeed {
    /// Nothing more comes through, and they stay open.
    Silence,
    /// They are closed instead of letting the next reply through.
    LoseReply,
}

#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// It succeeds, with at least this.
    Ok(Json),
    /// It fails, with at least this.
    Error(Json),
    /// Of all replies exactly one is the first of these, and all others are the second.
    OneWins(Box<(Json, Json)>),
}

/// The form of a step in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    call: Option<Json>,
    start: Option<Json>,
    r#as: Option<String>,
    join: Option<String>,
    http: Option<Http>,
    server: Option<ServerDeed>,
    network: Option<NetworkDeed>,
    servers: Option<usize>,
    tunnels: Option<usize>,
    crowd: Option<Json>,
    program: Option<ProgramDeed>,
    each: Option<usize>,
    ok: Option<Json>,
    error: Option<Json>,
    until: Option<Json>,
    one_wins: Option<(Json, Json)>,
    within_ms: Option<u64>,
    save: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProgramDeed {
    Restart,
}

impl TryFrom<Written> for Step {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let mut deeds = Vec::new();
        let again = written.until.is_some();
        deeds.extend(written.call.map(|op| if again { Deed::Until(op) } else { Deed::Call(op) }));
        match (written.start, written.r#as) {
            (Some(op), Some(name)) => deeds.push(Deed::Start(op, name)),
            (None, None) => {}
            _ => return Err("`start` and `as` belong together".to_owned()),
        }
        deeds.extend(written.join.map(Deed::Join));
        deeds.extend(written.http.map(Deed::Http));
        deeds.extend(written.server.map(Deed::Server));
        deeds.extend(written.network.map(Deed::Network));
        deeds.extend(written.servers.map(Deed::Servers));
        deeds.extend(written.tunnels.map(Deed::Tunnels));
        deeds.extend(written.crowd.map(|op| Deed::Crowd(op, written.each.unwrap_or(1))));
        deeds.extend(written.program.map(|ProgramDeed::Restart| Deed::RestartProgram));
        let deed = deeds.pop().filter(|_| deeds.is_empty());
        let deed = deed.ok_or(
            "a step is one of call, start, join, http, server, network, servers, tunnels, crowd, program",
        )?;
        let mut outcomes: Vec<Outcome> = Vec::new();
        outcomes.extend(written.ok.or(written.until).map(Outcome::Ok));
        outcomes.extend(written.error.map(Outcome::Error));
        outcomes.extend(written.one_wins.map(|both| Outcome::OneWins(both.into())));
        let outcome = outcomes.pop().unwrap_or_else(|| Outcome::Ok(serde_json::json!({})));
        if !outcomes.is_empty() {
            return Err("a step has one of ok, until, error, one_wins".to_owned());
        }
        let each = written.each.unwrap_or(1);
        let within = written.within_ms.map(Duration::from_millis);
        Ok(Self { deed, each, outcome, within, save: written.save })
    }
}

impl Scenario {
    /// Whether it needs a program that no other scenario uses.
    pub(crate) fn is_alone(&self) -> bool {
        let harsh = |step: &Step| matches!(step.deed, Deed::Server(_) | Deed::RestartProgram);
        let is_harsh = self.has_network() || self.steps.iter().any(harsh);
        self.no_server || self.credentials || !self.env.is_empty() || is_harsh
    }

    /// Whether something happens to what lies between the SDK and the server.
    pub(crate) fn has_network(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.deed, Deed::Network(_)))
    }
}

/// Every suite, by the name of its file.
pub(crate) fn all() -> Result<Vec<Suite>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort_unstable();
    let suites: Vec<_> = files.iter().map(|file| read(file)).collect::<Result<_>>()?;
    ensure!(!suites.is_empty(), "no scenarios in {}", dir.display());
    Ok(suites)
}

fn read(file: &Path) -> Result<Suite> {
    let text = std::fs::read_to_string(file)?;
    let suite: Suite = serde_saphyr::from_str(&text).with_context(|| file.display().to_string())?;
    for scenario in &suite.scenarios {
        let known = |name: &String| LANGUAGES.iter().any(|language| language.name == name);
        if let Some(unknown) = scenario.fails_in.keys().find(|name| !known(name)) {
            bail!("{}: {}: no language {unknown}", file.display(), scenario.name);
        }
    }
    Ok(suite)
}
