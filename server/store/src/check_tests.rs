//! A deep check reads everything and names what is damaged.

use object_store::ObjectStoreExt;

use super::*;
use crate::clock::SystemClock;
use crate::record::VERSION;

const REQUEST: &str = include_str!("golden/request-v1.json");
const ID: &str = "0192f0c1d2e37f00a1b2c3d4e5f60718";

fn options() -> Options {
    Options { disk_reserve: Some(0), ..Options::default() }
}

#[tokio::test]
async fn all_of_a_store_is_read_and_what_does_not_fit_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Embedded(directory.path().join("store"));
    {
        let store = open::connect(
            &url,
            Purpose::Serve,
            Arc::new(SystemClock),
            Arc::default(),
            Box::new(|_| ()),
        );
        let store = store.unwrap();
        let format = format!(r#"{{"version": {VERSION}}}"#);
        let timer = format!("timers/2026-11-22T14/37/1795358220000-expire-default-{ID}");
        let removed = format!("events/removed/{ID}/request.json");
        let tombstone = format!(
            r#"{{"version":1,"nonce":"0","removed":{{"event":"removed/{ID}","time":1795358220000}}}}"#
        );
        let elsewhere = format!("events/other/{ID}/request.json");
        for (path, body) in [
            ("meta/format.json", format.as_str()),
            (&format!("events/default/{ID}/request.json"), REQUEST),
            (&timer, ""),
            (&format!("jobs/2026-11-22T14/37/1795358220000-collect-a-b-{ID}-7"), ""),
            ("jobs/2026-11-22T14/37/junk", ""),
            (&format!("created/2026-11-22T14/37/1795358220000-default-{ID}"), ""),
            (&removed, &tombstone),
            (&elsewhere, REQUEST),
            ("events/default/1/response.json", "{"),
            ("resolved/2026-11-22T14/37/junk", ""),
        ] {
            store.put(&Path::from(path), body.to_owned().into()).await.unwrap();
        }
    }
    let seen = AtomicU64::new(0);
    let deep =
        check_deep(&url, options(), |done| seen.store(done, Ordering::Relaxed)).await.unwrap();
    assert_eq!((deep.objects, seen.into_inner(), deep.damaged_count), (6, 6, 4));
    let damaged: Vec<_> = deep.damaged.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(
        damaged,
        [
            "events/default/1/response.json",
            &format!("events/other/{ID}/request.json"),
            "jobs/2026-11-22T14/37/junk",
            "resolved/2026-11-22T14/37/junk"
        ]
    );
}
