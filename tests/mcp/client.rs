//! A reference client of MCP, in a process of its own: its script reads a call a line, and writes its result.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use support::tools;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longest that anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `mcp` of PyPI, at the newest revision that the server has.
    Python,
    /// The same, at a revision with a handshake.
    PythonLegacy,
    /// `@modelcontextprotocol/client` of npm, at the newest revision.
    TypeScript,
    /// `@modelcontextprotocol/sdk` of npm, which has a handshake.
    TypeScriptLegacy,
}

/// How the client reaches the server.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    Http {
        url: String,
        token: String,
    },
    /// By `hitl mcp`, with these variables.
    Stdio {
        env: Vec<(String, String)>,
    },
}

/// A client that has connected, or failed to.
#[derive(Debug)]
pub(crate) struct Client {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// The revision that it has agreed on with the server.
    pub(crate) version: String,
}

/// What the user says in the dialogs of a client, which can show those of these modes.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) modes: Vec<&'static str>,
    pub(crate) replies: Vec<Value>,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] =
        [Self::Python, Self::PythonLegacy, Self::TypeScript, Self::TypeScriptLegacy];

    /// Whether it speaks the revision without sessions.
    pub(crate) fn is_modern(self) -> bool {
        matches!(self, Self::Python | Self::TypeScript)
    }

    fn command(self) -> Command {
        let (program, script) = match self {
            Self::Python | Self::PythonLegacy => (tools::mcp_python(), "client.py"),
            Self::TypeScript | Self::TypeScriptLegacy => (PathBuf::from("node"), "client.mjs"),
        };
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("mcp");
        let installed = dir.join("node_modules/@modelcontextprotocol").is_dir();
        assert!(installed, "run `npm ci` in {}, or `cargo xtask test mcp`", dir.display());
        let mut command = Command::new(program);
        command.arg(dir.join(script)).current_dir(dir).kill_on_drop(true);
        command
    }
}

impl Way {
    fn settings(&self) -> Value {
        match self {
            Self::Http { url, token } => json!({"http": {"url": url, "token": token}}),
            Self::Stdio { env } => {
                let keep = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
                let env = env.iter().cloned().chain(["PATH", "HOME"].into_iter().filter_map(keep));
                let env: serde_json::Map<_, _> = env.map(|(k, v)| (k, v.into())).collect();
                json!({"stdio": {"command": tools::hitl(), "args": ["mcp"], "env": env}})
            }
        }
    }
}

impl Client {
    /// A client that has connected.
    pub(crate) async fn connect(kind: Kind, way: &Way, user: Option<User>) -> Self {
        let connected = Self::try_connect(kind, way, user).await;
        connected.unwrap_or_else(|why| panic!("{kind:?} by {way:?}: {why}"))
    }

    /// A client that has connected, or why it has not.
    pub(crate) async fn try_connect(
        kind: Kind,
        way: &Way,
        user: Option<User>,
    ) -> Result<Self, String> {
        let mut settings = way.settings();
        settings["mode"] = if kind.is_modern() { "auto" } else { "legacy" }.into();
        settings["package"] = if kind == Kind::TypeScript { "client" } else { "sdk" }.into();
        if let Some(User { modes, replies }) = user {
            settings["modes"] = modes.into();
            settings["replies"] = replies.into();
        }
        let mut command = kind.command();
        command.arg(settings.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it can be run");
        let input = process.stdin.take().expect("it is piped");
        let output = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut client = Self { process, input, output, version: String::new() };
        let first = client.read().await;
        match first["version"].as_str() {
            Some(version) => version.clone_into(&mut client.version),
            None => return Err(first.to_string()),
        }
        Ok(client)
    }

    /// Calls a tool, and returns its result once it is there.
    pub(crate) async fn call(&mut self, tool: &str, args: Value) -> Value {
        self.begin(tool, args).await;
        self.read().await
    }

    /// Calls a tool.
    pub(crate) async fn begin(&mut self, tool: &str, args: Value) {
        let mut command = json!({"tool": tool});
        command["args"] = args;
        self.write(&command).await;
    }

    /// The same, of a client that gives up after so many seconds.
    pub(crate) async fn call_briefly(&mut self, tool: &str, args: Value, timeout_s: u32) -> Value {
        let mut command = json!({"tool": tool, "timeout_s": timeout_s});
        command["args"] = args;
        self.write(&command).await;
        self.read().await
    }

    /// What the server says of its tools.
    pub(crate) async fn tools(&mut self) -> Value {
        self.write(&json!({})).await;
        self.read().await["tools"].take()
    }

    /// What the client says next.
    pub(crate) async fn read(&mut self) -> Value {
        let line = tokio::time::timeout(LIMIT, self.output.next_line()).await;
        let line = line.expect("the client says something in time").expect("text");
        serde_json::from_str(&line.unwrap_or_else(|| r#"{"failed":"it ended"}"#.to_owned()))
            .expect("the client says JSON")
    }

    async fn write(&mut self, command: &Value) {
        let line = format!("{command}\n");
        self.input.write_all(line.as_bytes()).await.expect("the client reads");
    }

    /// Kills the client where it is.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.expect("it can be killed");
    }
}
