//! Stores: those that keep their promises pass, and those that do not are refused before anything rests on them.

use support::stores::{Forgetful, Kind, Place, overwriting};
use support::tools;
use tokio::process::Command;

use crate::processes::{assert_refused, run};

/// `hitl ARGS` in an environment in which it may use `place`, with a directory for its own files.
fn hitl(args: &[&str], place: &Place) -> (Command, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(tools::hitl());
    command.args(args).envs(place.env.iter().cloned()).env("HITL_DATA_DIR", dir.path());
    (command, dir)
}

#[tokio::test]
async fn a_store_that_keeps_its_promises_passes_the_check() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = Kind::of_this_run().place(dir.path()).await.expect("a store");
    let (mut check, _dir) = hitl(&["store", "check", &place.url], &place);
    let checked = run(&mut check).await;
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert!(said.contains(&place.url) && said.contains("keeps its promises"), "{said}");
}

#[tokio::test]
async fn a_store_that_lets_a_second_writer_overwrite_is_refused_with_what_it_did() {
    for store in [Forgetful::S3rver, Forgetful::Fauxqs] {
        let bucket = overwriting(store).await.expect("the store starts");
        let place = bucket.place();
        let url = place.url.as_str();
        let cases: [&[&str]; 2] =
            [&["serve", "--listen", "127.0.0.1:0", "--store", url], &["store", "check", url]];
        for args in cases {
            let (mut command, _dir) = hitl(args, &place);
            let refused = run(&mut command).await;
            let what = "it let a second writer create an object that another had created";
            assert_refused(&refused, &["cannot be trusted", what]);
        }
    }
}
