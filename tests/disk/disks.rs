//! Small file systems, each mounted for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system that is gone with this value. Whoever uses it must end before.
#[derive(Debug)]
pub(crate) struct Disk {
    dir: TempDir,
}

impl Disk {
    /// In memory.
    pub(crate) fn tmpfs(mib: u32) -> Self {
        Self::mount(|point, _| {
            run(["mount", "-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs", point]);
        })
    }

    /// On a loop device, as most disks are formatted.
    pub(crate) fn ext4(mib: u32) -> Self {
        Self::mount(|point, image| {
            run(["truncate", "-s", &format!("{mib}M"), image]);
            run(["mkfs.ext4", "-q", "-m", "0", image]);
            run(["mount", "-o", "loop", image, point]);
        })
    }

    fn mount(mount: impl FnOnce(&str, &str)) -> Self {
        let dir = tempfile::Builder::new().prefix("hitl-disk-").tempdir().expect("a directory");
        let disk = Self { dir };
        std::fs::create_dir(disk.path()).expect("a directory to mount on");
        mount(text(&disk.path()), text(&disk.dir.path().join("image")));
        let owner = format!(
            "{}:{}",
            rustix::process::getuid().as_raw(),
            rustix::process::getgid().as_raw()
        );
        run(["chown", &owner, text(&disk.path())]);
        disk
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("disk")
    }

    /// Where a server may keep its store.
    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    /// Nothing can be written any more, by whomever.
    pub(crate) fn make_read_only(&self) {
        run(["mount", "-o", "remount,ro", text(&self.path())]);
    }

    /// Writes are taken again.
    pub(crate) fn make_writable(&self) {
        run(["mount", "-o", "remount,rw", text(&self.path())]);
    }

    /// Takes all the room that there is, as a log that grows would; returns the file that has it.
    pub(crate) fn fill(&self) -> PathBuf {
        let hog = self.path().join("hog");
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&hog)
            .expect("a file can be made");
        for size in [64 << 10, 4 << 10, 512, 1] {
            while std::io::Write::write_all(&mut file, &vec![b'x'; size]).is_ok() {}
        }
        // Space that was promised to it may only now turn out not to be there, or be given back.
        let _ = file.sync_all();
        hog
    }

    /// How much may still be written.
    pub(crate) fn free_bytes(&self) -> u64 {
        let disk = rustix::fs::statvfs(self.path()).expect("a mounted file system");
        disk.f_bavail * disk.f_frsize
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, since a server that a failed test leaves behind may still be ending.
        let _ = command(&["umount", "-l", text(&self.path())]).status();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary directories have plain names")
}

fn run<const N: usize>(words: [&str; N]) {
    let output = command(&words).output();
    let output = output.unwrap_or_else(|error| panic!("{words:?} cannot be run: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?} needs root, or sudo without a password: {said}");
}

fn command(words: &[&str]) -> Command {
    let is_root = rustix::process::geteuid().is_root();
    let words = if is_root { words.to_vec() } else { [&["sudo", "-n"], words].concat() };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}
