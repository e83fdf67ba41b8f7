//! One run of a scenario in one language.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use rand::RngExt;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use support::server::{Config, Server};
use support::tools;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::adapter::{Adapter, Pending, shared};
use crate::expect;
use crate::language::Language;
use crate::scenario::{Deed, Http, Outcome, Scenario, ServerDeed, Step};
use crate::scripted;
use crate::vars::Vars;

const LONG_OUTAGE: Duration = Duration::from_secs(30);
/// Between two looks for what must come.
const PAUSE: Duration = Duration::from_millis(20);
const UNTIL_LIMIT: Duration = Duration::from_secs(30);
const HTTP_LIMIT: Duration = Duration::from_secs(30);

static SERVER: Mutex<Option<Server>> = Mutex::const_new(None);

/// What a scenario has for itself.
struct World {
    language: &'static Language,
    adapter: Arc<Adapter>,
    env: BTreeMap<String, String>,
    /// Makes the client of every command that names no other.
    client: Json,
    server: Option<Server>,
    started: BTreeMap<String, Pending>,
    vars: Vars,
    http: reqwest::Client,
    dir: TempDir,
}

impl Drop for World {
    /// Ends the servers that an SDK has started, which are meant to outlive it: they run in our directory.
    fn drop(&mut self) {
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let is_ours = std::fs::read_link(entry.path().join("cwd"))
                .is_ok_and(|dir| dir.starts_with(self.dir.path()));
            let pid = entry.file_name().to_str().and_then(|pid| pid.parse().ok());
            if let Some(pid) = pid.and_then(Pid::from_raw).filter(|_| is_ours) {
                // It may be gone by now.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Runs `scenario` in `language`.
pub(crate) async fn run(scenario: &Scenario, language: &'static Language) -> Result<()> {
    let mut world = World::new(scenario, language).await?;
    for (number, step) in scenario.steps.iter().enumerate() {
        let went = world.step(step).await;
        went.with_context(|| format!("step {}, {:?}", number + 1, step.deed))?;
    }
    Ok(())
}

/// Ends the server that scenarios share.
pub(crate) async fn end_shared_server() {
    SERVER.lock().await.take();
}

impl World {
    async fn new(scenario: &Scenario, language: &'static Language) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("hitl-conformance-").tempdir()?;
        let http = support::http::client().timeout(HTTP_LIMIT).build()?;
        let mut env = scenario.env.clone();
        let mut vars = Vars::default();
        vars.set("run", format!("{:016x}", rand::rng().random::<u64>()).into());
        let (server, adapter, client) = if scenario.no_server {
            let port = support::free_port()?;
            env.insert("HITL_PORT".to_owned(), port.to_string());
            env.insert("HITL_DATA_DIR".to_owned(), dir.path().display().to_string());
            vars.set("port", port.into());
            (None, Arc::new(Adapter::start(language, &env)?), client_of_environment())
        } else if scenario.is_alone() {
            let server = Server::start(Config::new(tools::hitl())).await?;
            env.insert("HITL_ENDPOINT".to_owned(), server.endpoint());
            vars.set("server", server.endpoint().into());
            let adapter = Arc::new(Adapter::start(language, &env)?);
            (Some(server), adapter, client_of_environment())
        } else {
            let mut shared_server = SERVER.lock().await;
            if shared_server.is_none() {
                *shared_server = Some(Server::start(Config::new(tools::hitl())).await?);
            }
            let endpoint = shared_server.as_ref().map(Server::endpoint);
            drop(shared_server);
            vars.set("server", json!(endpoint));
            let name = format!("c-{}-{}", language.name, rand::rng().random::<u64>());
            let namespace = format!("n{:x}", rand::rng().random::<u64>());
            let client = json!({
                "op": "client", "client": name, "endpoint": endpoint, "namespace": namespace,
            });
            (None, shared(language).await?, client)
        };
        if scenario.scripted {
            vars.set("scripted", scripted::start().await?.into());
        }
        let started = BTreeMap::new();
        let world = Self { language, adapter, env, client, server, started, vars, http, dir };
        world.make_client().await?;
        Ok(world)
    }

    async fn make_client(&self) -> Result<()> {
        let reply = self.adapter.tell(self.client.clone()).await?.reply().await?;
        expect::matches(&json!({"ok": {}}), &reply, "client")
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match &step.deed {
            Deed::Call(op) => {
                let mut pending = Vec::new();
                for op in self.each(op, step.each)? {
                    pending.push((op.clone(), self.adapter.tell(op).await?));
                }
                let replies = pending
                    .into_iter()
                    .map(|(op, pending)| async { anyhow::Ok((op, pending.reply().await?)) });
                for (op, reply) in try_join_all(replies).await? {
                    self.judge(step, &reply)?;
                    self.keep(step, &op, reply);
                }
            }
            Deed::Until(op) => self.until(step, op).await?,
            Deed::Start(op, name) => {
                for (index, op) in self.each(op, step.each)?.into_iter().enumerate() {
                    let pending = self.adapter.tell(op).await?;
                    self.started.insert(numbered(name, index, step.each), pending);
                }
            }
            Deed::Join(name) => {
                for index in 0..step.each {
                    let name = numbered(name, index, step.each);
                    let pending = self.started.remove(&name);
                    let pending = pending.with_context(|| format!("nothing started as {name}"))?;
                    let reply = pending.reply().await?;
                    self.vars.set("i", index.into());
                    self.judge(step, &reply)?;
                    self.keep(step, &Json::Null, reply);
                }
            }
            Deed::Http(http) => {
                for index in 0..step.each {
                    self.vars.set("i", index.into());
                    let reply = self.http(http).await?;
                    self.judge(step, &reply)?;
                }
            }
            Deed::Server(deed) => self.server(*deed).await?,
            Deed::RestartProgram => {
                self.started.clear();
                self.adapter = Arc::new(Adapter::start(self.language, &self.env)?);
                self.make_client().await?;
            }
        }
        Ok(())
    }

    async fn until(&mut self, step: &Step, op: &Json) -> Result<()> {
        let again = async {
            loop {
                let op = self.each(op, 1)?.remove(0);
                let reply = self.adapter.tell(op.clone()).await?.reply().await?;
                if self.judge(step, &reply).is_ok() {
                    self.keep(step, &op, reply);
                    return anyhow::Ok(());
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        timeout(UNTIL_LIMIT, again).await.context("it does not come")?
    }

    /// `op` so many times, each filled in and with its client.
    fn each(&mut self, op: &Json, times: usize) -> Result<Vec<Json>> {
        (0..times)
            .map(|index| {
                self.vars.set("i", index.into());
                let mut op = self.vars.fill(op)?;
                let client = &self.client["client"];
                if op.get("client").is_none() {
                    op["client"] = client.clone();
                }
                if op["op"] == "create" && op.get("prompt").is_none() {
                    op["prompt"] = "What is it?".into();
                }
                // Programs are shared, and names of events are not.
                if let (Some(client), Some(event)) = (client.as_str(), op["event"].as_str()) {
                    op["event"] = format!("{client}/{event}").into();
                }
                Ok(op)
            })
            .collect()
    }

    fn judge(&self, step: &Step, reply: &Json) -> Result<()> {
        let expected = match &step.outcome {
            Outcome::Ok(expected) => json!({"ok": expected}),
            Outcome::Error(expected) => json!({"error": expected}),
            Outcome::OneOf(all) => {
                let fits = |one: &Json| expect::matches(one, reply, "reply").is_ok();
                ensure!(all.iter().any(fits), "it replied {reply}, which is none of {all:?}");
                return Ok(());
            }
        };
        expect::matches(&self.vars.fill(&expected)?, reply, "reply")
            .with_context(|| format!("it replied {reply}"))
    }

    fn keep(&mut self, step: &Step, op: &Json, mut reply: Json) {
        let ok = reply["ok"].take();
        if op["op"] == "create"
            && let Some(event) = op["event"].as_str()
        {
            let name = event.rsplit('/').next().unwrap_or(event);
            self.vars.set(name, ok.clone());
        }
        if let Some(name) = &step.save {
            self.vars.set(name, ok);
        }
    }

    async fn http(&self, http: &Http) -> Result<Json> {
        let url = self.vars.fill(&Json::String(http.post.clone()))?;
        let url = url.as_str().context("the address is text")?;
        let reply = self.http.post(url).json(&self.vars.fill(&http.json)?).send().await?;
        let is_success = reply.status().is_success();
        let body: Json = reply.json().await?;
        Ok(if is_success { json!({"ok": body}) } else { json!({"error": body["error"]}) })
    }

    async fn server(&mut self, deed: ServerDeed) -> Result<()> {
        let server = self.server.as_mut().context("this scenario has no server of its own")?;
        match deed {
            ServerDeed::Kill => server.kill().await,
            ServerDeed::Start => server.restart().await,
            ServerDeed::Pause => signal(server, Signal::STOP),
            ServerDeed::Resume => signal(server, Signal::CONT),
            ServerDeed::Restart => {
                let status = server.terminate().await?;
                if !status.success() {
                    bail!("the server was told to end, and ended with {status}");
                }
                server.restart().await
            }
            ServerDeed::LongOutage => {
                server.kill().await?;
                tokio::time::sleep(LONG_OUTAGE).await;
                server.restart().await
            }
        }
    }
}

/// On a program of its own there is one client, which has everything from the environment.
fn client_of_environment() -> Json {
    json!({"op": "client", "client": "default"})
}

fn numbered(name: &str, index: usize, of: usize) -> String {
    if of == 1 { name.to_owned() } else { format!("{name}{index}") }
}

fn signal(server: &Server, signal: Signal) -> Result<()> {
    let pid = server.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    Ok(kill_process(pid.context("the server runs")?, signal)?)
}
