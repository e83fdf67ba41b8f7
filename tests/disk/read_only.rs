//! A file system that takes no writes.

use std::path::Path;

use crate::caller::{Site, embedded, files};
use crate::disks::Disk;

#[tokio::test]
async fn a_read_only_file_system_is_named_at_the_start_and_nothing_is_lost_there() {
    for kind in [embedded as fn(&Path) -> String, files] {
        let disk = Disk::ext4(32);
        let mut site = Site::start(&kind(&disk.store())).await;
        let event = site.ask(100).await.expect("there is room");
        site.server.terminate().await.expect("it ends");

        disk.make_read_only();
        let refused = site.server.restart().await.expect_err("it starts where it cannot write");
        let said = format!("{refused:#}");
        assert!(said.contains("Read-only") && said.contains("store"), "{said}");
        assert!(!said.contains("panicked"), "{said}");

        disk.make_writable();
        site.server.restart().await.expect("it starts again");
        assert_eq!(site.get(&event.id).await.expect("it is there").id, event.id);
        site.answer(&event.id).await.expect("it is open");
        site.server.terminate().await.expect("it ends");
    }
}
