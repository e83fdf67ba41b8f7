//! One run of a scenario in one language.

mod deeds;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rand::RngExt;
use rustix::process::{Signal, kill_process};
use serde_json::{Value as Json, json};
use support::proxy::Proxy;
use support::server::{Config, Server};
use support::tools;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::adapter::{Adapter, Pending, shared};
use crate::expect;
use crate::guarded;
use crate::language::Language;
use crate::scenario::{Deed, NetworkDeed, Outcome, Scenario, Step};
use crate::scripted;
use crate::tunnels::Tunnelling;
use crate::vars::Vars;
use deeds::servers_in;

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
    /// What the SDK goes through to the server of this scenario.
    network: Option<Proxy>,
    /// What SDKs are told to go through to servers.
    proxy: Option<Tunnelling>,
    started: BTreeMap<String, Pending>,
    vars: Vars,
    http: reqwest::Client,
    dir: TempDir,
}

impl Drop for World {
    /// Ends the servers that an SDK has started, which are meant to outlive it.
    fn drop(&mut self) {
        for pid in servers_in(self.dir.path()) {
            // It may be gone by now.
            let _ = kill_process(pid, Signal::KILL);
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

/// Where the server is that scenarios share.
pub(crate) async fn shared_endpoint() -> Result<String> {
    let mut server = SERVER.lock().await;
    if server.is_none() {
        *server = Some(Server::start(Config::new(tools::hitl())).await?);
    }
    server.as_ref().map(Server::endpoint).context("it has just been started")
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
        let proxy = surround(scenario, &mut vars).await?;
        for value in env.values_mut() {
            *value = vars.fill_text(value)?.as_str().unwrap_or_default().to_owned();
        }
        let mut network = None;
        let (server, adapter, client) = if scenario.no_server {
            let port = support::free_port()?;
            env.insert("HITL_PORT".to_owned(), port.to_string());
            env.insert("HITL_DATA_DIR".to_owned(), dir.path().join("data").display().to_string());
            vars.set("port", port.into());
            (None, Arc::new(Adapter::start(language, &env)?), client_of_environment())
        } else if scenario.credentials {
            let server = guarded::start(dir.path(), &mut vars).await?;
            vars.set("server", server.endpoint().into());
            env.insert("HITL_ENDPOINT".to_owned(), server.endpoint());
            let adapter = Arc::new(Adapter::start(language, &env)?);
            (Some(server), adapter, client_of_environment())
        } else if scenario.is_alone() {
            let server = Server::start(Config::new(tools::hitl())).await?;
            let mut endpoint = server.endpoint();
            if scenario.has_network() {
                endpoint = network.insert(Proxy::start(vec![server.port()]).await?).endpoint();
            }
            env.insert("HITL_ENDPOINT".to_owned(), endpoint);
            vars.set("server", server.endpoint().into());
            let adapter = Arc::new(Adapter::start(language, &env)?);
            (Some(server), adapter, client_of_environment())
        } else {
            let endpoint = shared_endpoint().await?;
            vars.set("server", json!(endpoint));
            let name = format!("c-{}-{}", language.name, rand::rng().random::<u64>());
            let namespace = format!("n{:x}", rand::rng().random::<u64>());
            vars.set("namespace", json!(namespace));
            let client = json!({
                "op": "client", "client": name, "endpoint": endpoint, "namespace": namespace,
            });
            (None, shared(language).await?, client)
        };
        let started = BTreeMap::new();
        let world = Self {
            language,
            adapter,
            env,
            client,
            server,
            network,
            proxy,
            started,
            vars,
            http,
            dir,
        };
        make_client(&world.adapter, &world.client).await?;
        Ok(world)
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
                let replies = timeout(step.within.unwrap_or(Duration::MAX), try_join_all(replies));
                for (op, reply) in replies.await.context("it takes too long")?? {
                    let reply = self.whole(&op, reply).await?;
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
                let mut winners = 0;
                for index in 0..step.each {
                    let name = numbered(name, index, step.each);
                    let pending = self.started.remove(&name);
                    let pending = pending.with_context(|| format!("nothing started as {name}"))?;
                    let reply = pending.reply().await?;
                    self.vars.set("i", index.into());
                    self.judge(step, &reply)?;
                    winners += usize::from(reply["ok"].is_object());
                    self.keep(step, &Json::Null, reply);
                }
                let one_wins = matches!(step.outcome, Outcome::OneWins(_));
                ensure!(!one_wins || winners == 1, "{winners} have won");
            }
            Deed::Http(http) => {
                for index in 0..step.each {
                    self.vars.set("i", index.into());
                    let reply = self.http(http).await?;
                    self.judge(step, &reply)?;
                }
            }
            Deed::Server(deed) => self.server(*deed).await?,
            Deed::Network(deed) => {
                let network = self.network.as_ref().context("nothing is between")?;
                match deed {
                    NetworkDeed::Silence => network.silence(),
                    NetworkDeed::LoseReply => network.lose_reply(),
                }
            }
            Deed::Servers(expected) => self.servers(*expected).await?,
            Deed::Tunnels(expected) => {
                let opened = self.proxy.as_ref().context("this scenario has no proxy")?.opened();
                ensure!(opened == *expected, "{opened} tunnels were opened");
            }
            Deed::Crowd(op, times) => self.crowd(step, op, *times).await?,
            Deed::RestartProgram => {
                self.started.clear();
                self.adapter = Arc::new(Adapter::start(self.language, &self.env)?);
                make_client(&self.adapter, &self.client).await?;
            }
        }
        Ok(())
    }

    async fn until(&mut self, step: &Step, op: &Json) -> Result<()> {
        let again = async {
            loop {
                let op = self.each(op, 1)?.remove(0);
                let reply = self.adapter.tell(op.clone()).await?.reply().await?;
                let reply = self.whole(&op, reply).await?;
                if self.judge(step, &reply).is_ok() {
                    self.keep(step, &op, reply);
                    return anyhow::Ok(());
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        timeout(UNTIL_LIMIT, again).await.context("it does not come")?
    }

    /// The reply to a list of any length, with what its next pages have: each ends after half a second, and on a busy
    /// machine there may be little in it by then.
    async fn whole(&self, op: &Json, mut reply: Json) -> Result<Json> {
        let is_any_length = op.get("page_size").or(op.get("page_token")).is_none();
        if op["op"] != "list" || !is_any_length {
            return Ok(reply);
        }
        loop {
            let token = reply["ok"]["next_page_token"].as_str().unwrap_or_default();
            let events = reply["ok"]["events"].as_array();
            let Some(events) = events.filter(|_| !token.is_empty()) else { return Ok(reply) };
            let mut next = op.clone();
            next["page_token"] = token.into();
            let mut page = self.adapter.tell(next).await?.reply().await?;
            let Some(more) = page["ok"]["events"].as_array() else { return Ok(page) };
            page["ok"]["events"] = [&events[..], more].concat().into();
            page["ok"]["resume_token"] = reply["ok"]["resume_token"].clone();
            reply = page;
        }
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
                let asks = op["op"] == "create" || op["op"] == "ask_valid";
                if asks && op.get("prompt").is_none() {
                    op["prompt"] = "What is it?".into();
                }
                // Programs are shared, and names of events and runs are not.
                for kept in ["event", "run"] {
                    if let (Some(client), Some(name)) = (client.as_str(), op[kept].as_str()) {
                        op[kept] = format!("{client}/{name}").into();
                    }
                }
                Ok(op)
            })
            .collect()
    }

    fn judge(&self, step: &Step, reply: &Json) -> Result<()> {
        let expected = match &step.outcome {
            Outcome::Ok(expected) => json!({"ok": expected}),
            Outcome::Error(expected) => json!({"error": expected}),
            Outcome::OneWins(both) if reply["ok"].is_object() => both.0.clone(),
            Outcome::OneWins(both) => both.1.clone(),
        };
        expect::matches(&self.vars.fill(&expected)?, reply, "reply")
            .with_context(|| format!("it replied {reply}"))
    }

    fn keep(&mut self, step: &Step, op: &Json, mut reply: Json) {
        let ok = reply["ok"].take();
        if (op["op"] == "create" || op["op"] == "attach")
            && let Some(event) = op["event"].as_str()
        {
            let name = event.rsplit('/').next().unwrap_or(event);
            self.vars.set(name, ok.clone());
        }
        if let Some(name) = &step.save {
            self.vars.set(name, ok);
        }
    }
}

/// Starts what the scenario has besides a server of ours.
async fn surround(scenario: &Scenario, vars: &mut Vars) -> Result<Option<Tunnelling>> {
    if scenario.scripted {
        let endpoint = scripted::start().await?;
        let port = endpoint.rsplit(':').next().unwrap_or_default();
        vars.set("scripted_port", port.into());
        vars.set("scripted", endpoint.into());
    }
    let Some(wanted) = &scenario.proxy else { return Ok(None) };
    let proxy = Tunnelling::start(wanted.clone()).await?;
    vars.set("proxy", proxy.address().into());
    Ok(Some(proxy))
}

/// On a program of its own there is one client, which has everything from the environment.
async fn make_client(adapter: &Adapter, client: &Json) -> Result<()> {
    let reply = adapter.tell(client.clone()).await?.reply().await?;
    expect::matches(&json!({"ok": {}}), &reply, "client")
}

fn client_of_environment() -> Json {
    json!({"op": "client", "client": "default"})
}

fn numbered(name: &str, index: usize, of: usize) -> String {
    if of == 1 { name.to_owned() } else { format!("{name}{index}") }
}
