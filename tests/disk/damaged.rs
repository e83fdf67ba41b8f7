//! A byte that the disk has changed in a table of the embedded store: it costs the events of its block, which are
//! named,
//! and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hitl_proto::v1::{Event, ListEventsRequest};
use support::tools;
use tonic::Code;

use crate::caller::{Site, embedded, reason, soon};

/// With a prompt of this many bytes each, so many events fill more than a table.
const PROMPT_BYTES: usize = 60_000;
const EVENTS: usize = 330;

/// Events in `store`, most of them in tables, and nobody at work there.
async fn filled(store: &Path) -> Vec<Event> {
    let mut site = Site::start(&embedded(store)).await;
    let mut events = Vec::new();
    for _ in 0..EVENTS {
        events.push(site.ask(PROMPT_BYTES).await.expect("there is room"));
    }
    soon("a table", async {
        while largest_table(store).is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    site.server.kill().await.expect("it can be killed");
    events
}

fn largest_table(store: &Path) -> Option<PathBuf> {
    let tables = fs::read_dir(store.join("db/keyspaces/1/tables")).ok()?.flatten();
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |meta| meta.len());
    tables.map(|table| table.path()).max_by_key(size).filter(|table| size(table) > 1 << 20)
}

fn flip_in_the_middle(file: &Path) {
    let mut bytes = fs::read(file).expect("it can be read");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(file, bytes).expect("it can be written");
}

/// What `hitl store` with `args` says, and whether it succeeded.
async fn store_command(args: &[&str]) -> (bool, String) {
    let mut command = tokio::process::Command::new(tools::hitl());
    let output = command.arg("store").args(args).kill_on_drop(true).output();
    let output = soon("the end of the command", output).await.expect("it runs");
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    (output.status.success(), said.concat())
}

/// The ids that can be read of `events`, and of the others.
async fn read_all(site: &Site, events: &[Event]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut whole, mut lost) = (BTreeSet::new(), BTreeSet::new());
    for event in events {
        match site.get(&event.id).await {
            Ok(read) => {
                assert_eq!(read.prompt, event.prompt);
                whole.insert(event.id.clone());
            }
            Err(status) => {
                assert_eq!(
                    reason(&status),
                    (Code::DataLoss, "ERROR_REASON_RECORD_UNREADABLE".to_owned())
                );
                assert!(status.message().contains(&event.id), "{status}");
                let (code, body) = site.look(&format!("/v1/events/{}", event.id)).await;
                assert_eq!(code, 500);
                assert!(body.contains("RECORD_UNREADABLE") && body.contains(&event.id), "{body}");
                lost.insert(event.id.clone());
            }
        }
    }
    (whole, lost)
}

/// The ids that are listed, and what is said to be unreadable.
async fn list(site: &Site) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut listed, mut unreadable) = (BTreeSet::new(), BTreeSet::new());
    let mut request = ListEventsRequest::default();
    loop {
        let page = soon("a page", site.server.client().list_events(request.clone())).await;
        let page = page.expect("the rest is listed").into_inner();
        listed.extend(page.events.into_iter().map(|event| event.id));
        unreadable.extend(page.unreadable);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return (listed, unreadable);
        }
    }
}

#[tokio::test]
async fn a_flipped_byte_costs_its_events_which_are_named_and_the_rest_is_served_and_saved() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, saved) = (dir.path().join("store"), dir.path().join("saved"));
    let events = filled(&store).await;
    let table = largest_table(&store).expect("there is a table");
    flip_in_the_middle(&table);

    let mut rest = BTreeSet::new();
    // The first start does not know of it, and later ones do; none ends by itself.
    for _ in 0..3 {
        let mut site = Site::start(&embedded(&store)).await;
        let (whole, lost) = read_all(&site, &events).await;
        assert!((1..5).contains(&lost.len()), "{lost:?}");
        let (listed, unreadable) = list(&site).await;
        assert!(whole.is_subset(&listed) && lost.is_disjoint(&listed));
        assert_eq!(unreadable, lost);
        let new = site.ask(10).await.expect("the store takes writes");
        site.cancel(&new.id).await.expect("and ends");
        assert!(site.server.is_running());
        let log = site.server.log();
        assert!(log.contains(&table.display().to_string()), "the log names the file: {log}");
        assert!(log.contains("--skip-unreadable"), "and says what to do: {log}");
        site.server.kill().await.expect("it can be killed");
        rest = whole;
    }

    let (done, said) = store_command(&["check", "--deep", &embedded(&store)]).await;
    assert!(!done && said.contains(&table.display().to_string()), "{said}");
    let (done, said) = store_command(&["copy", &embedded(&store), &embedded(&saved)]).await;
    assert!(!done && said.contains("--skip-unreadable"), "{said}");
    let skip = ["copy", "--skip-unreadable", &embedded(&store), &embedded(&saved)];
    let (done, said) = store_command(&skip).await;
    assert!(done && said.contains("/request.json"), "{said}");
    // The key of the links is no part of the store.
    fs::copy(dir.path().join("store.link.key"), dir.path().join("saved.link.key")).expect("a key");
    let site = Site::start(&embedded(&saved)).await;
    for event in events.iter().filter(|event| rest.contains(&event.id)) {
        assert_eq!(site.get(&event.id).await.expect("it was saved").prompt, event.prompt);
    }
    let (done, said) = {
        drop(site);
        store_command(&["check", "--deep", &embedded(&saved)]).await
    };
    assert!(done && said.contains("are whole"), "{said}");
}
