//! Closed loops: so many callers, each of which starts its next operation when the last has ended.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tonic::transport::Endpoint;

use crate::cli::Plan;
use crate::process;
use crate::requests::Client;
use crate::server::Server;

const WARM_UP: Duration = Duration::from_millis(300);

/// Connections to one server, the same number for every server at the same number of callers.
pub(crate) struct Clients(Vec<Client>);

impl Clients {
    pub(crate) async fn for_callers(server: &Server, callers: usize) -> Result<Self> {
        let connections = match callers {
            0..8 => 1,
            8..256 => 4,
            _ => 8,
        };
        Self::connect(server, connections).await
    }

    pub(crate) async fn connect(server: &Server, connections: usize) -> Result<Self> {
        let endpoint = Endpoint::from_shared(server.url.clone())?.tcp_nodelay(true);
        let mut clients = Vec::new();
        for _ in 0..connections {
            let channel = endpoint.connect().await.context("cannot connect")?;
            clients.push(Client::new(channel));
        }
        Ok(Self(clients))
    }

    /// The client of one caller: callers are spread evenly over the connections.
    pub(crate) fn of(&self, caller: usize) -> Client {
        self.0[caller % self.0.len()].clone()
    }
}

/// What a load of many rounds has come to.
#[derive(Default)]
pub(crate) struct Runs {
    /// Operations a second, one entry a round.
    rates: Vec<f64>,
    /// What each operation reported, of all rounds.
    latencies: Vec<Duration>,
    /// The process whose time is taken, if the work is done in one of its own.
    pid: Option<u32>,
    cpu: Duration,
}

impl Runs {
    pub(crate) fn on(server: &Server) -> Self {
        let pid = Some(server.pid);
        Self { pid, ..Self::default() }
    }

    /// The processor time that the server took for one operation, on average.
    pub(crate) fn cpu(&self) -> Duration {
        self.cpu.div_f64(self.latencies.len().max(1) as f64)
    }

    /// Of the rounds, the one in the middle.
    pub(crate) fn rate(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_unstable_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    }

    /// The latency that `percent` of all operations did not exceed.
    pub(crate) fn latency(&self, percent: usize) -> Duration {
        percentile(&self.latencies, percent)
    }

    /// Runs `callers` loops for one round of the plan. `caller` makes the operation of one of
    /// them, which reports a latency of its own choice.
    pub(crate) async fn round<C, F>(
        &mut self,
        plan: &Plan,
        callers: usize,
        caller: impl Fn(usize) -> C,
    ) -> Result<()>
    where
        C: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<Duration>> + Send,
    {
        loops(WARM_UP.min(plan.load), callers, &caller).await?;
        let cpu = || self.pid.map_or(Ok(Duration::ZERO), process::cpu);
        let (start, before) = (Instant::now(), cpu()?);
        let latencies = loops(plan.load, callers, &caller).await?;
        self.cpu += cpu()?.saturating_sub(before);
        self.rates.push(latencies.len() as f64 / start.elapsed().as_secs_f64());
        self.latencies.extend(latencies);
        Ok(())
    }
}

/// The time that `percent` of all `times` did not exceed.
pub(crate) fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

async fn loops<C, F>(
    time: Duration,
    callers: usize,
    caller: impl Fn(usize) -> C,
) -> Result<Vec<Duration>>
where
    C: FnMut() -> F + Send + 'static,
    F: Future<Output = Result<Duration>> + Send,
{
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for number in 0..callers {
        let mut once = caller(number);
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                latencies.push(once().await?);
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Vec::new();
    while let Some(latencies) = tasks.join_next().await {
        all.extend(latencies??);
    }
    Ok(all)
}

/// Does `operation` and reports how long it took.
pub(crate) async fn timed(operation: impl Future<Output = Result<()>>) -> Result<Duration> {
    let start = Instant::now();
    operation.await?;
    Ok(start.elapsed())
}
