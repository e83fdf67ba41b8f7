//! Retention: what ended long ago goes when a server is started that keeps it no longer, and can be exported before.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use hitl_proto::v1::value::Kind as Value;
use serde_json::Value as Json;
use support::stores::Kind;
use support::tools;
use tokio::process::Command;
use tonic::Code;

use crate::failure::Failure;
use crate::kinds;
use crate::site::{config, request, start, typed};

/// How much longer ago everything is than it was.
const AGO: Duration = Duration::hours(2);

/// How long a removal may take that is overdue when the server starts, on a machine that also compiles.
const REMOVAL_MAX: std::time::Duration = std::time::Duration::from_secs(90);

#[tokio::test]
async fn what_ended_long_ago_is_exported_and_then_removed_and_its_key_is_refused() {
    let (mut server, site) = start(config().kind(Kind::Files)).await;
    let mut asked = request(kinds::int());
    asked.idempotency_key = "once".to_owned();
    let event = site.create(asked.clone()).await;
    let mut held = request(kinds::int());
    held.labels.insert("hold".to_owned(), "audit".to_owned());
    let held = site.create(held).await;
    for event in [&event, &held] {
        site.answer(event, typed(&Value::Int(1))).await.expect("the answer fits");
    }

    let file = server.dir().join("ended.jsonl").display().to_string();
    let export = async || {
        let mut command = Command::new(tools::hitl());
        let args = ["--endpoint", &server.endpoint(), "export", "--output", &file];
        let done = command.args(args).output().await.expect("the program starts");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (done, said) = export().await;
    assert!(done, "{said}");
    let lines = fs::read_to_string(&file).expect("it was written");
    let lines: Vec<Json> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("the store is as the server left it"))
        .collect();
    let ids: Vec<_> = lines
        .iter()
        .map(|line| line["id"].as_str().expect("the store is as the server left it"))
        .collect();
    assert_eq!(ids, [held.id.as_str(), event.id.as_str()], "the latest first");
    assert!(lines.iter().all(|line| line["formUrl"].is_null() && line["apiUrl"].is_null()));
    let (again, said) = export().await;
    assert!(!again && said.contains("nothing is overwritten"), "{said}");

    server.terminate().await.expect("it ends");
    let store = server.dir().join("store");
    let before = bytes(&store);
    for event in [&event.id, &held.id] {
        make_older(&store, event);
    }
    // The next server has a directory of its own, and with it another key.
    fs::remove_file(store.join("meta/link-key.json")).expect("every store has it");
    let url = format!("file://{}", store.display());
    let (_server, site) = start(config().store(url).arg("--retain").arg("1m")).await;
    let gone = async {
        while site.try_get(&event).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    // Jobs are listed every 15 s, and are left to other servers for a while.
    let removed = tokio::time::timeout(REMOVAL_MAX, gone).await;
    removed.expect("it is removed in time");
    let absent = site.try_get(&event).await.expect_err("it is gone");
    assert!(Failure::of(&absent).is(Code::NotFound, "EVENT_NOT_FOUND"), "{absent:?}");
    let refused = site.try_create(asked).await.expect_err("the key is known");
    let refused = Failure::of(&refused);
    assert!(refused.is(Code::FailedPrecondition, "EVENT_REMOVED"), "{refused:?}");
    assert_eq!(refused.metadata["event_id"], event.id);
    site.try_get(&held).await.expect("what is held stays");
    let left = store.join(format!("events/default/{}/request.json", event.id));
    let left = fs::metadata(left).expect("it says that it was removed").len();
    assert!(left <= 200, "{left} bytes");
    println!("{before} bytes of events before, {} after; {left} of the one", bytes(&store));
}

fn bytes(store: &Path) -> u64 {
    files(&store.join("events"))
        .iter()
        .map(|file| fs::metadata(file).expect("it is there").len())
        .sum()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory)
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Makes the stored event `id` older than it is.
fn make_older(store: &Path, id: &str) {
    let event = store.join("events/default").join(id);
    edit(&event.join("request.json"), |record| older(&mut record["request"]["create_time"]));
    edit(&event.join("response.json"), |record| older(&mut record["response"]["time"]));
    let all = files(&store.join("resolved"));
    let announced =
        all.iter().find(|file| file.display().to_string().contains(id)).expect("it is announced");
    let name = announced.file_name().and_then(|name| name.to_str()).expect("it is text");
    let (ms, rest) = name.split_once('-').expect("the store is as the server left it");
    let time =
        DateTime::from_timestamp_millis(ms.parse().expect("the store is as the server left it"))
            .expect("the store is as the server left it")
            - AGO;
    let minute = store.join("resolved").join(time.format("%Y-%m-%dT%H/%M").to_string());
    fs::create_dir_all(&minute).expect("the store is as the server left it");
    fs::rename(announced, minute.join(format!("{:013}-{rest}", time.timestamp_millis())))
        .expect("the store is as the server left it");
}

fn edit(path: &Path, change: impl FnOnce(&mut Json)) {
    let mut record =
        serde_json::from_slice(&fs::read(path).expect("the store is as the server left it"))
            .expect("the store is as the server left it");
    change(&mut record);
    fs::write(path, serde_json::to_vec(&record).expect("the store is as the server left it"))
        .expect("the store is as the server left it");
}

fn older(time: &mut Json) {
    let at: DateTime<Utc> = time
        .as_str()
        .expect("the store is as the server left it")
        .parse()
        .expect("the store is as the server left it");
    *time = (at - AGO).to_rfc3339_opts(SecondsFormat::Millis, true).into();
}
