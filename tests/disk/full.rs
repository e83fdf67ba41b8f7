//! A disk that is full.

use crate::caller::{Site, embedded};
use crate::disks::Disk;

#[tokio::test]
async fn a_server_starts_on_a_disk_of_a_few_megabytes() {
    for disk in [Disk::tmpfs(8), Disk::ext4(16)] {
        let site = Site::start(&embedded(&disk.store())).await;
        let event = site.ask(1_000).await.expect("there is room");
        site.answer(&event.id).await.expect("there is room");
    }
}
