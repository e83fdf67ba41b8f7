//! A virtual machine that runs the server on a disk of ours. It is emulated, so it needs nothing of the processor, and
//! takes a few seconds to start.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use support::tools;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;

/// Enough for the server, its file system in memory, and the kernel's cache.
const MEMORY_MIB: &str = "512";
/// A start takes seconds, or a minute on a machine that does much else.
const START_LIMIT: Duration = Duration::from_secs(180);
const LIMIT: Duration = Duration::from_secs(30);
const READY: &str = "hitl listens on http://";
/// Where the server is, in the network that only the machine is in.
const SERVER: &str = "10.0.2.15:4485";
const NETWORK: &str = "net";
const CONSOLE_LINES_SHOWN: usize = 60;

/// What every start of the machine has in common.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) kernel: PathBuf,
    pub(crate) initramfs: PathBuf,
    /// The socket at which the disk is lent.
    pub(crate) disk: PathBuf,
    /// Where the machine takes orders.
    pub(crate) orders: PathBuf,
    /// What the first program finds in its environment.
    pub(crate) env: Vec<(&'static str, String)>,
}

/// One life of the machine.
#[derive(Debug)]
pub(crate) struct Guest {
    child: Child,
    console: watch::Receiver<Console>,
    orders: PathBuf,
}

/// What the machine has printed.
#[derive(Debug, Default)]
struct Console {
    lines: Vec<String>,
    closed: bool,
}

impl Machine {
    /// Switches the machine on, and returns at once.
    pub(crate) fn boot(&self) -> Result<Guest> {
        match std::fs::remove_file(&self.orders) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut command = Command::new(tools::qemu());
        command
            .args(["-nodefaults", "-no-reboot", "-display", "none", "-m", MEMORY_MIB])
            .args(["-machine", "q35,accel=tcg", "-cpu", "max"])
            .arg("-kernel")
            .arg(&self.kernel)
            .arg("-initrd")
            .arg(&self.initramfs)
            .args(["-append", &self.command_line()])
            .args(["-serial", "stdio"])
            .args(["-qmp", &format!("unix:{},server=on,wait=off", self.orders.display())])
            .args(["-blockdev", &disk(&self.disk)])
            .args(["-device", "virtio-blk-pci,drive=disk,write-cache=on"])
            .args(["-netdev", &format!("user,id={NETWORK},restrict=on")])
            .args(["-device", &format!("virtio-net-pci,netdev={NETWORK},romfile=")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("cannot run the virtual machine")?;
        let (sender, console) = watch::channel(Console::default());
        let stdout = child.stdout.take().context("stdout is piped")?;
        tokio::spawn(read_lines(stdout, sender));
        Ok(Guest { child, console, orders: self.orders.clone() })
    }

    /// The kernel hands what it does not know to the first program.
    fn command_line(&self) -> String {
        // Where the host is busy, the check of the timer finds that it stands still, and the kernel gives up.
        let mut words = "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check".to_owned();
        for (name, value) in &self.env {
            words += &format!(" {name}={value}");
        }
        words
    }
}

impl Guest {
    /// Returns once the server says that it is ready.
    pub(crate) async fn ready(&self) -> Result<()> {
        let mut console = self.console.clone();
        let is_ready = |console: &Console| console.lines.iter().any(|line| line.contains(READY));
        let said = console.wait_for(|console| console.closed || is_ready(console));
        let ready =
            matches!(timeout(START_LIMIT, said).await, Ok(Ok(console)) if is_ready(&console));
        ensure!(ready, "the server does not get ready; the console:\n{}", self.console_tail());
        Ok(())
    }

    /// Lets callers at this port of our machine reach the server.
    pub(crate) async fn open_door(&self, port: u16) -> Result<()> {
        let order = format!("hostfwd_add {NETWORK} tcp:127.0.0.1:{port}-{SERVER}");
        let said = timeout(LIMIT, self.order(&order)).await;
        let said = said.context("the virtual machine takes no orders")??;
        ensure!(said.is_empty(), "`{order}` was refused: {said}");
        Ok(())
    }

    /// Ends the machine as if the power were cut.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        timeout(LIMIT, self.child.kill())
            .await
            .context("the killed machine does not go away")??;
        Ok(())
    }

    /// Whether the machine has ended by itself, which it does after its server.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of what the machine printed.
    pub(crate) fn console_tail(&self) -> String {
        let console = self.console.borrow();
        let lines = &console.lines;
        lines[lines.len().saturating_sub(CONSOLE_LINES_SHOWN)..].join("\n")
    }

    async fn order(&self, order: &str) -> Result<String> {
        let stream = UnixStream::connect(&self.orders).await?;
        let mut orders = BufReader::new(stream);
        let mut greeting = String::new();
        orders.read_line(&mut greeting).await?;
        send(&mut orders, &json!({ "execute": "qmp_capabilities" })).await?;
        let arguments = json!({ "command-line": order });
        let order = json!({ "execute": "human-monitor-command", "arguments": arguments });
        let said = send(&mut orders, &order).await?;
        said.as_str().map(|said| said.trim().to_owned()).context("an answer in words")
    }
}

/// Gives an order, and returns what came of it. Events that come in between are of no interest.
async fn send(orders: &mut BufReader<UnixStream>, order: &Value) -> Result<Value> {
    orders.write_all(format!("{order}\n").as_bytes()).await?;
    loop {
        let mut line = String::new();
        if orders.read_line(&mut line).await? == 0 {
            bail!("the virtual machine is gone");
        }
        let mut reply: Value = serde_json::from_str(&line)?;
        if let Some(said) = reply.get_mut("return") {
            return Ok(said.take());
        }
        ensure!(reply.get("error").is_none(), "{order} was refused: {reply}");
    }
}

fn disk(socket: &Path) -> String {
    let server = json!({ "type": "unix", "path": socket });
    // Every flush of the machine comes to the disk, and nothing between the two keeps a cache.
    let cache = json!({ "direct": true, "no-flush": false });
    json!({ "driver": "nbd", "node-name": "disk", "server": server, "cache": cache }).to_string()
}

async fn read_lines(stdout: ChildStdout, sender: watch::Sender<Console>) {
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    // By bytes: a machine that dies may print half a character.
    while reader.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        sender.send_modify(|console| console.lines.push(text));
        line.clear();
    }
    sender.send_modify(|console| console.closed = true);
}
