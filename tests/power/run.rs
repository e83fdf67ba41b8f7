//! One run: clients work against the server in the machine, its power is cut again and again, and after each cut
//! everything that anybody was told must be there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::checker::{self, Bounds, Verdict};
use support::free_port;
use support::history::{Life, Recorder, Stamp};
use support::load::audit;
use support::load::client::Client;
use support::load::common::{Habits, Shared};
use support::load::lines::Lines;
use support::load::passing::pass_by;
use support::load::phase::Phase;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::disk::Disk;
use crate::guest::{Guest, Machine};
use crate::image;
use crate::losses::Losses;
use crate::nbd::LentDisk;
use crate::plan::{Cuts, Outcome, Plan, Times};

const CLIENTS: usize = 8;
/// Every how-many-th cut hits the machine while it starts: then the recovery from the cut before is cut short.
const IN_START_EVERY: usize = 4;
/// The power fails at one of so many writes and flushes of the server under load.
const LOAD_OPERATIONS: u64 = 1_000;
/// And at the latest after so long.
const LOAD_MAX: Duration = Duration::from_secs(10);
/// Longer than the longest deadline that is not long, by as much as the clock of the machine may be off.
const QUIET: Duration = Duration::from_secs(6);
/// How long clients wait for a machine that starts.
const PATIENCE: Duration = Duration::from_secs(240);
/// Clients end as soon as the server is up; more than that is a client that hangs.
const CLIENTS_END: Duration = Duration::from_secs(60);

/// A machine is emulated, on processors that do other things too, and its clock has seconds only. How late timers and
/// waiters are is measured elsewhere.
const BOUNDS: Bounds = Bounds {
    late_ms: 60_000,
    told_ms: 60_000,
    uptime_ms: 60_000,
    reconnect_ms: 2_000,
    skew_ms: 3_000,
};

/// Runs `plan`.
pub(crate) async fn run(plan: &Plan) -> Result<Outcome> {
    let dir = tempfile::Builder::new().prefix("hitl-power-").tempdir()?;
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let machine = Machine {
        kernel: image::kernel()?,
        initramfs: image::initramfs(&plan.binary, dir.path())?,
        disk: dir.path().join("disk"),
        orders: dir.path().join("orders"),
        env: plan.env(),
    };
    let disk = Disk::new(image::empty_disk(dir.path())?, StdRng::seed_from_u64(rng.random()));
    let disk = LentDisk::lend(disk, image::DISK_BYTES, &machine.disk)?;
    let mut run = Run::new(machine, disk, dir, rng)?;
    let clients = run.spawn();
    let went = run.all(plan.cuts, clients).await;
    run.judge();
    let history = std::mem::take(&mut *run.shared.recorder.history());
    let Run { verdict, cuts, cuts_in_start, losses, times, console, .. } = run;
    let broken = went.err().map(|error| format!("{error:#}; the console:\n{console}"));
    Ok(Outcome { history, verdict, cuts, cuts_in_start, losses, times, broken })
}

struct Run {
    machine: Machine,
    disk: LentDisk,
    rng: StdRng,
    /// By which the clients reach the server.
    door: u16,
    /// By which everything is read back while nobody else can do anything.
    side_door: u16,
    shared: Shared,
    up: watch::Sender<bool>,
    verdict: Verdict,
    cuts: usize,
    cuts_in_start: usize,
    losses: Losses,
    times: Times,
    /// How many writes and flushes the last start took that came to its end.
    start_operations: u64,
    /// How many events were read back by themselves.
    read: usize,
    /// The end of what the last machine printed.
    console: String,
    /// What the machine needs, which goes with the run.
    _dir: TempDir,
}

impl Run {
    fn new(machine: Machine, disk: LentDisk, dir: TempDir, rng: StdRng) -> Result<Self> {
        let (up, _) = watch::channel(false);
        let shared = Shared::new(Arc::new(Recorder::new()), Phase::Load, Habits::REAL);
        Ok(Self {
            machine,
            disk,
            rng,
            door: free_port()?,
            side_door: free_port()?,
            shared,
            up,
            verdict: Verdict::default(),
            cuts: 0,
            cuts_in_start: 0,
            losses: Losses::default(),
            times: Times::default(),
            start_operations: 1,
            read: 0,
            console: String::new(),
            _dir: dir,
        })
    }

    fn spawn(&mut self) -> JoinSet<()> {
        let endpoint = endpoint(self.door);
        let mut tasks = JoinSet::new();
        for number in 0..CLIENTS {
            let lines = Lines::one(&endpoint).when(self.up.subscribe()).patient(PATIENCE);
            let (lines, shared) = (Arc::new(lines), self.shared.clone());
            tasks.spawn(pass_by(lines.clone(), shared.clone(), self.rng.random()));
            tasks.spawn(Client::new(number, self.rng.random(), lines, shared).run());
        }
        tasks
    }

    /// All cuts, and then the end of the load.
    async fn all(&mut self, cuts: Cuts, clients: JoinSet<()>) -> Result<()> {
        let begun = Instant::now();
        while self.cuts < cuts.least || self.cuts < cuts.most && begun.elapsed() < cuts.time {
            let mut guest = self.machine.boot()?;
            let went = self.until_cut(&mut guest).await;
            self.console = guest.console_tail();
            went?;
            self.judge();
            if !self.verdict.violations.is_empty() {
                return Ok(());
            }
        }
        let mut guest = self.machine.boot()?;
        let went = self.finish(&guest, clients).await;
        self.console = guest.console_tail();
        guest.kill().await?;
        went
    }

    /// One life of the machine, which ends with the power cut.
    async fn until_cut(&mut self, guest: &mut Guest) -> Result<()> {
        if self.cuts % IN_START_EVERY == IN_START_EVERY - 1 {
            let operations = self.rng.random_range(0..self.start_operations);
            self.disk.disk().fail_after(operations);
        }
        if !self.start(guest).await? {
            self.cuts_in_start += 1;
            return self.cut(guest).await;
        }
        self.read_back(guest).await?;
        let begun = self.open(guest).await?;
        let operations = self.rng.random_range(1..LOAD_OPERATIONS);
        self.disk.disk().fail_after(operations);
        let loaded = Instant::now();
        // If the machine ends by itself, its power never fails.
        let _ = timeout(LOAD_MAX, self.disk.failed()).await;
        self.times.loads += loaded.elapsed();
        let ended = guest.has_ended();
        self.close(begun);
        self.cut(guest).await?;
        ensure!(!ended, "the server ended by itself");
        Ok(())
    }

    /// Whether the server gets ready before the power fails.
    async fn start(&mut self, guest: &Guest) -> Result<bool> {
        let (begun, before) = (Instant::now(), self.disk.disk().operations());
        tokio::select! {
            ready = guest.ready() => ready?,
            () = self.disk.failed() => {}
        }
        self.times.starts += begun.elapsed();
        let mut disk = self.disk.disk();
        disk.do_not_fail();
        if !disk.is_off() {
            self.start_operations = (disk.operations() - before).max(1);
        }
        Ok(!disk.is_off())
    }

    async fn cut(&mut self, guest: &mut Guest) -> Result<()> {
        guest.kill().await?;
        self.losses += self.disk.disk().power_cycle();
        self.cuts += 1;
        Ok(())
    }

    /// Lets the clients stop, and reads everything back.
    async fn finish(&mut self, guest: &Guest, mut clients: JoinSet<()>) -> Result<()> {
        ensure!(self.start(guest).await?, "the power failed, and nobody had cut it");
        self.read_back(guest).await?;
        self.shared.phase.set(Phase::Quiet);
        let begun = self.open(guest).await?;
        sleep(QUIET).await;
        self.shared.phase.set(Phase::End);
        let ended = async {
            while let Some(client) = clients.join_next().await {
                client?;
            }
            anyhow::Ok(())
        };
        timeout(CLIENTS_END, ended).await.context("the clients do not end")??;
        let side_door = endpoint(self.side_door);
        audit::audit(&side_door, &self.shared.board, &self.shared.recorder).await?;
        self.close(begun);
        Ok(())
    }

    /// Reads back what is new, and then the whole list, on which everything is in full.
    async fn read_back(&mut self, guest: &Guest) -> Result<()> {
        let begun = Instant::now();
        guest.open_door(self.side_door).await?;
        let (endpoint, ids) = (endpoint(self.side_door), self.shared.board.ids());
        audit::get(&endpoint, &ids[self.read..], &self.shared.recorder).await;
        self.read = ids.len();
        audit::list(&endpoint, &self.shared.recorder).await?;
        self.times.reads += begun.elapsed();
        Ok(())
    }

    async fn open(&self, guest: &Guest) -> Result<Stamp> {
        guest.open_door(self.door).await?;
        let begun = self.shared.recorder.stamp();
        self.up.send_replace(true);
        Ok(begun)
    }

    fn close(&self, ready: Stamp) {
        self.up.send_replace(false);
        let recorder = &self.shared.recorder;
        let killed = recorder.stamp();
        recorder.history().lives.push(Life { ready, killed });
    }

    fn judge(&mut self) {
        self.verdict = checker::check(&self.shared.recorder.history(), &BOUNDS);
    }
}

fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
