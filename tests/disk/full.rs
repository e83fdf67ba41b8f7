//! A disk that is full: new events are refused while those that are open go on, and all is well again when there is
//! room.

use std::fs;
use std::path::Path;

use hitl_proto::v1::{EventState, create_event_request};
use support::server::Config;
use support::tools;
use tonic::Code;

use crate::caller::{Site, embedded, files, question, reason, soon, until};
use crate::disks::Disk;

const FULL: &str = "ERROR_REASON_DISK_FULL";
/// Of each question that fills a disk.
const PROMPT_BYTES: usize = 8_000;
/// More than any of these disks holds.
const EVENTS_MAX: usize = 3_000;
/// How many answers the reserve has to bear at least.
const ANSWERS: usize = 30;

type Store = fn(&Path) -> String;

/// Creates events until there is no room, and returns their ids.
async fn fill_up(site: &Site) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        match site.ask(PROMPT_BYTES).await {
            Ok(event) => ids.push(event.id),
            Err(refused) => {
                assert_eq!(reason(&refused), (Code::ResourceExhausted, FULL.to_owned()));
                assert!(refused.message().starts_with("the disk is full"), "{refused}");
                return ids;
            }
        }
        assert!(ids.len() < EVENTS_MAX, "the disk does not fill up");
    }
}

async fn full_disk(disk: &Disk, kind: Store) {
    let spare = disk.path().join("spare");
    fs::write(&spare, vec![b'x'; 3 << 20]).expect("there is room");
    let mut site = Site::start(&kind(&disk.store())).await;
    let pid = site.server.pid();
    let ids = fill_up(&site).await;
    assert!(ids.len() > 2 * ANSWERS, "{}", ids.len());
    let mut wait = site.wait(&ids[0]).await;

    // Another program takes all that is left; the reserve is not its to take.
    let hog = disk.fill();
    assert_eq!(site.metric("hitl_disk_full").await, 1.0);
    assert!(site.metric("hitl_disk_reserve_held_bytes").await > 0.0);
    let (status, body) = site.look("/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains("the disk is full"), "{body}");
    for id in &ids {
        site.get(id).await.expect("reads go on");
    }
    for id in &ids[..ANSWERS] {
        site.answer(id).await.expect("answers go on");
    }
    site.decline(&ids[ANSWERS]).await.expect("declines go on");
    site.cancel(&ids[ANSWERS + 1]).await.expect("cancellations go on");
    assert_eq!(wait.next().await.expect("waits go on").state(), EventState::Answered);
    assert_eq!(reason(&site.ask(10).await.expect_err("still full")).1, FULL);

    // Killed there, it comes back there.
    site.server.restart().await.expect("it starts on a full disk");
    assert_ne!(site.server.pid(), pid);
    let pid = site.server.pid();
    assert_eq!(site.get(&ids[0]).await.expect("a read").state(), EventState::Answered);
    site.answer(&ids[ANSWERS + 2]).await.expect("answers go on");

    for file in [hog, spare] {
        fs::remove_file(file).expect("it can be deleted");
    }
    until("room for new events", async || site.ask(PROMPT_BYTES).await.is_ok()).await;
    until("readiness", async || site.look("/readyz").await.0 == 200).await;
    assert_eq!(site.metric("hitl_disk_full").await, 0.0);
    assert_eq!(site.server.pid(), pid, "no restart is needed");
    for (number, id) in ids.iter().enumerate() {
        let event = site.get(id).await.expect("nothing acknowledged is lost");
        assert_eq!(event.state() == EventState::Pending, number > ANSWERS + 2, "{number}");
    }
    site.server.terminate().await.expect("it ends");
}

#[tokio::test]
async fn a_full_disk_refuses_new_events_and_what_is_open_goes_on_in_the_embedded_store() {
    full_disk(&Disk::tmpfs(12), embedded).await;
    full_disk(&Disk::ext4(24), embedded).await;
}

#[tokio::test]
async fn a_full_disk_refuses_new_events_and_what_is_open_goes_on_in_plain_files() {
    full_disk(&Disk::tmpfs(12), files).await;
    full_disk(&Disk::ext4(24), files).await;
}

#[tokio::test]
async fn a_create_that_is_repeated_on_a_full_disk_finds_its_event() {
    for kind in [embedded as Store, files] {
        let disk = Disk::tmpfs(12);
        let site = Site::start(&kind(&disk.store())).await;
        let mut keyed = question(10);
        keyed.idempotency_key = "once".to_owned();
        let first = site.create(keyed.clone()).await.expect("there is room");
        fill_up(&site).await;
        let again = site.create(keyed).await.expect("it is there");
        assert_eq!(again.id, first.id);
    }
}

#[tokio::test]
async fn without_room_for_anything_the_server_lives_and_what_is_due_ends_when_there_is_room() {
    for kind in [embedded as Store, files] {
        let disk = Disk::tmpfs(12);
        let config = Config::new(tools::hitl()).store(kind(&disk.store()));
        let mut site = Site::with(config.arg("--disk-reserve").arg("0")).await;
        let mut due = question(10);
        let ttl = prost_types::Duration { seconds: 5, nanos: 0 };
        due.expiration = Some(create_event_request::Expiration::Ttl(ttl));
        let mut ids = Vec::new();
        for _ in 0..100 {
            ids.push(site.create(due.clone()).await.expect("there is room").id);
        }
        let open = site.ask(10).await.expect("there is room");
        let pid = site.server.pid();
        let hog = disk.fill();
        until("a deadline that cannot be recorded", async || {
            site.get(&ids[0]).await.is_err_and(|refused| reason(&refused).1 == FULL)
        })
        .await;
        assert_eq!(reason(&site.answer(&open.id).await.expect_err("there is no room")).1, FULL);
        site.get(&open.id).await.expect("reads go on");
        assert!(site.server.is_running());
        let failures = site.server.log().matches("a job failed").count();
        assert!(failures <= 2 * ids.len(), "{failures} times the log says the same");

        fs::remove_file(hog).expect("it can be deleted");
        for id in &ids {
            until("the end of what was due", async || {
                site.get(id).await.is_ok_and(|event| event.state() == EventState::TimedOut)
            })
            .await;
        }
        site.answer(&open.id).await.expect("there is room");
        assert_eq!(site.server.pid(), pid, "no restart is needed");
    }
}

/// The other program wins now and then between the look at the disk and the write. Then the process ends, and a start
/// finds all that was acknowledged.
#[tokio::test]
async fn a_disk_that_fills_while_events_are_created_loses_nothing_acknowledged() {
    let disk = Disk::ext4(24);
    let mut site = Site::start(&embedded(&disk.store())).await;
    let disk = std::sync::Arc::new(disk);
    let hog = tokio::task::spawn_blocking({
        let disk = disk.clone();
        move || disk.fill()
    });
    let mut ids = Vec::new();
    while !hog.is_finished() {
        ids.extend(site.ask(PROMPT_BYTES).await.map(|event| event.id));
    }
    let hog = hog.await.expect("no panic");
    site.server.restart().await.expect("it starts on a full disk");
    for id in &ids {
        site.get(id).await.expect("nothing acknowledged is lost");
    }
    fs::remove_file(hog).expect("it can be deleted");
    until("room for new events", async || site.ask(PROMPT_BYTES).await.is_ok()).await;
}

#[tokio::test]
async fn metrics_say_how_full_the_disk_is_and_what_the_process_takes() {
    let disk = Disk::tmpfs(16);
    let config = Config::new(tools::hitl()).store(embedded(&disk.store()));
    let site = Site::with(config.arg("--disk-reserve").arg("2MiB")).await;
    soon("a create", site.ask(PROMPT_BYTES)).await.expect("there is room");
    let used = site.metric("hitl_disk_used_bytes").await;
    let free = site.metric("hitl_disk_free_bytes").await;
    let held = site.metric("hitl_disk_reserve_held_bytes").await;
    let mib = f64::from(1 << 20);
    assert_eq!(used + free + held, 16.0 * mib);
    assert!(held >= 2.0 * mib, "{held}");
    assert!(free <= disk.free_bytes() as f64 + mib, "{free}");
    for name in ["hitl_store_bytes", "hitl_tasks", "hitl_descriptors_open"] {
        assert!(site.metric(name).await > 0.0, "{name}");
    }
    let (open, max) = ("hitl_descriptors_open", "hitl_descriptors_max");
    assert!(site.metric(open).await < site.metric(max).await);
}
