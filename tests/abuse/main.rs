//! Peers that mean harm, each kind alone for a few seconds, beside 200 who wait and one who works.
//!
//! The server has 512 MiB and 1,024 descriptors. It must not end, must stay under its memory, must tell those who wait
//! of their answers meanwhile, and must serve a newcomer within 5 s of the end of each attack. What was measured is
//! printed as a table.

mod attacks;
mod bystanders;
mod peers;

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use attacks::{ATTACKS, Attack};
use bystanders::{Bystanders, Latencies};
use support::server::{Config, Server};
use support::tools;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const MEMORY_MIB: u64 = 512;
const DESCRIPTORS: u32 = 1_024;
/// How long each attack lasts: time for more than a hundred answers, so that the slowest of a hundred is not the
/// slowest.
const ATTACK_TIME: Duration = Duration::from_secs(4);
/// How long nothing is done to it before each attack, to compare with.
const QUIET_TIME: Duration = Duration::from_millis(1_500);
/// The priority of threads that have what others leave.
const LOWEST_PRIORITY: i32 = 19;
/// How soon after an attack a newcomer must be served.
const RECOVERY_MAX: Duration = Duration::from_secs(5);
/// How late an answer may reach somebody who waits, whatever goes on. The ratio to the quiet phase is printed.
const DELIVERY_MAX: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_means_harm_harms_nobody_else() {
    let harm = Harm::start();
    let wrapper = limited_binary();
    let store = memory_directory();
    let config = Config::new(wrapper.path().join("hitl"))
        .store(store.path().join("store").display().to_string())
        .arg("--memory-max")
        .arg(format!("{MEMORY_MIB}MiB"));
    let mut server = Server::start(config).await.expect("the server starts");
    let target = peers::Target::of(&server).await;
    let mut bystanders = Bystanders::wait(&server).await;
    let mut quiet = Latencies::default();
    let (mut broken, mut rows) = (Vec::new(), Vec::new());
    for attack in chosen() {
        // Anew before each, since what else goes on at this machine changes.
        quiet.add(bystanders.answer_for(QUIET_TIME).await);
        bystanders.fill_up(&server).await;
        forget_peak(&server);
        let seen = harm.endure(attack, &target, &mut bystanders).await;
        let recovered = bystanders::newcomer_is_served(&server, RECOVERY_MAX).await;
        let peak_mib = peak_mib(&server);
        if !server.is_running() {
            broken.push(format!("{}: the server ended", attack.name));
            break;
        }
        broken.extend(complaints(attack, &seen, recovered, peak_mib));
        rows.push(Row { name: attack.name, seen, recovered, peak_mib });
        bystanders.fill_up(&server).await;
    }
    print(&rows, &quiet);
    assert!(broken.is_empty(), "{broken:#?}");
}

/// All attacks, or those whose names have the text of `HITL_TEST_ATTACKS` in them.
fn chosen() -> impl Iterator<Item = &'static Attack> {
    let wanted = std::env::var("HITL_TEST_ATTACKS").unwrap_or_default();
    ATTACKS.iter().filter(move |attack| attack.name.contains(&wanted))
}

/// What came of one attack.
struct Row {
    name: &'static str,
    seen: Seen,
    recovered: Option<Duration>,
    peak_mib: u64,
}

/// Prints a table of what came of the attacks, beside what it is while nothing is done.
fn print(rows: &[Row], quiet: &Latencies) {
    let ms = |latencies: &Latencies, percent| latencies.percentile(percent) * 1_000.0;
    println!(
        "| attack | done | told | lost | half within | p99 | p99 to that of quiet | newcomer served after | memory |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let (half, p99) = (ms(quiet, 50), ms(quiet, 99));
    println!(
        "| none | | {} | {} | {half:.1} ms | {p99:.1} ms | 1.0x | | |",
        quiet.told(),
        quiet.lost
    );
    for Row { name, seen, recovered, peak_mib: peak } in rows {
        let Seen { latencies, done } = seen;
        let (told, lost) = (latencies.told(), latencies.lost);
        let (half, p99) = (ms(latencies, 50), ms(latencies, 99));
        let ratio = latencies.percentile(99) / quiet.percentile(99);
        let served =
            recovered.map_or("never".to_owned(), |after| format!("{} ms", after.as_millis()));
        println!(
            "| {name} | {done} | {told} | {lost} | {half:.1} ms | {p99:.1} ms | {ratio:.1}x | {served} | {peak} MiB |"
        );
    }
}

/// What was seen during one attack.
struct Seen {
    latencies: Latencies,
    /// What the attackers did, so that an attack that never began is noticed.
    done: usize,
}

/// The threads of those who mean harm. Elsewhere they would have machines of their own; here they have the processors
/// when neither the server nor those who measure it want them, since otherwise it is their thirst for processors that
/// would be measured.
struct Harm(Option<Runtime>);

impl Harm {
    fn start() -> Self {
        let lower_priority = || {
            let lowered = rustix::process::setpriority_process(None, LOWEST_PRIORITY);
            lowered.expect("a thread may lower its own priority");
        };
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        let threads = threads.worker_threads(2).on_thread_start(lower_priority).enable_all();
        Self(Some(threads.build().expect("there are threads")))
    }

    async fn endure(
        &self,
        attack: &Attack,
        target: &peers::Target,
        bystanders: &mut Bystanders,
    ) -> Seen {
        let over = CancellationToken::new();
        let threads = self.0.as_ref().expect("they are there until the end");
        let attackers = threads.spawn((attack.run)(target.clone(), over.clone()));
        let latencies = bystanders.answer_for(ATTACK_TIME).await;
        over.cancel();
        let done = tokio::time::timeout(RECOVERY_MAX, attackers).await;
        Seen { latencies, done: done.ok().and_then(Result::ok).unwrap_or(0) }
    }
}

impl Drop for Harm {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

fn complaints(
    attack: &Attack,
    seen: &Seen,
    recovered: Option<Duration>,
    peak_mib: u64,
) -> Vec<String> {
    let p99 = seen.latencies.percentile(99);
    let checks = [
        (seen.done >= attack.at_least, format!("only {} of it was done", seen.done)),
        (seen.latencies.lost == 0, format!("{} waits were not told", seen.latencies.lost)),
        (
            p99 <= DELIVERY_MAX.as_secs_f64(),
            format!("those who wait were told late: p99 is {p99:.1} s"),
        ),
        (recovered.is_some(), format!("a newcomer was not served within {RECOVERY_MAX:?}")),
        (peak_mib < MEMORY_MIB, format!("it took {peak_mib} MiB")),
    ];
    let failed = checks.into_iter().filter(|(holds, _)| !holds);
    failed.map(|(_, complaint)| format!("{}: {complaint}", attack.name)).collect()
}

/// Where the events are kept: on a file system in memory if there is one. On a disk the slowest of its syncs would be
/// measured, which take as long in quiet.
fn memory_directory() -> tempfile::TempDir {
    let mut directory = tempfile::Builder::new();
    let directory = directory.prefix("hitl-abuse-");
    let in_memory = directory.tempdir_in("/dev/shm");
    in_memory.or_else(|_| directory.tempdir()).expect("there is room for a directory")
}

/// The binary, started with few descriptors.
fn limited_binary() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("there is room for a script");
    let script =
        format!("#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec '{}' \"$@\"\n", tools::hitl().display());
    let path = directory.path().join("hitl");
    std::fs::write(&path, script).expect("the script is written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it can run");
    directory
}

/// Has the kernel begin anew with what the most memory of the server is.
fn forget_peak(server: &Server) {
    if let Some(pid) = server.pid() {
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the server is ours");
    }
}

/// The most memory that the server had since then.
fn peak_mib(server: &Server) -> u64 {
    let status = server.pid().map(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")));
    let status = status.and_then(Result::ok).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kibibytes = line.trim().trim_end_matches(" kB").parse::<u64>();
    kibibytes.map_or(u64::MAX, |kibibytes| kibibytes / 1024)
}

/// How long something took, for the reports.
fn since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64()
}
