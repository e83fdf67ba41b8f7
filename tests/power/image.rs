//! What the virtual machine starts from: the server with the libraries it needs, a shell, the modules of the kernel,
//! and nothing else; and the disk before anything was written to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use support::tools;

use crate::blocks::Blocks;
use crate::cpio::Archive;

/// The size of the disk. Only what is written takes memory.
pub(crate) const DISK_BYTES: u64 = 2 << 30;

/// What the disk and the network need, in the order in which the kernel takes them.
const MODULES: [&str; 9] = [
    "drivers/virtio/virtio_ring.ko",
    "drivers/virtio/virtio.ko",
    "drivers/virtio/virtio_pci_legacy_dev.ko",
    "drivers/virtio/virtio_pci_modern_dev.ko",
    "drivers/virtio/virtio_pci.ko",
    "drivers/block/virtio_blk.ko",
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/net/virtio_net.ko",
];
const DIRECTORIES: [&str; 6] = ["bin", "dev", "disk", "proc", "sys", "tmp"];

/// Puts the first file system of the machine, with `server` in it, below `dir`, and returns where it is.
pub(crate) fn initramfs(server: &Path, dir: &Path) -> Result<PathBuf> {
    let mut archive = Archive::default();
    for directory in DIRECTORIES {
        archive.directory(directory);
    }
    archive.file("init", include_bytes!("init.sh"));
    archive.copy("bin/busybox", &tools::busybox())?;
    // Without what only a debugger reads, it is a quarter of the size.
    let stripped = dir.join("hitl");
    output(Command::new("strip").arg("-o").arg(&stripped).arg(server))?;
    archive.copy("bin/hitl", &stripped)?;
    for library in libraries(server)? {
        archive.copy(library.trim_start_matches('/'), Path::new(&library))?;
    }
    let modules = modules()?;
    let mut order = String::new();
    for module in MODULES {
        let (_, name) = module.rsplit_once('/').context("a module is in a directory")?;
        archive.copy(&format!("modules/{name}"), &modules.join(module))?;
        order += &format!("{name}\n");
    }
    archive.file("modules/order", order.as_bytes());
    let path = dir.join("initramfs");
    std::fs::write(&path, archive.finish())?;
    Ok(path)
}

/// The kernel.
pub(crate) fn kernel() -> Result<PathBuf> {
    only_one_in(&tools::guest_kernel().join("boot"), "vmlinuz-")
}

/// An empty file system.
pub(crate) fn empty_disk(dir: &Path) -> Result<Blocks> {
    let path = dir.join("empty");
    std::fs::File::create(&path)?.set_len(DISK_BYTES)?;
    // All of it now: what the kernel would make up later would be noise in the cache.
    let whole = "lazy_itable_init=0,lazy_journal_init=0";
    output(Command::new(tools::mke2fs()).args(["-q", "-t", "ext4", "-E", whole]).arg(&path))?;
    let blocks = Blocks::read_from(&path)?;
    std::fs::remove_file(&path)?;
    Ok(blocks)
}

fn modules() -> Result<PathBuf> {
    let release = only_one_in(&tools::guest_kernel().join("lib/modules"), "")?;
    Ok(release.join("kernel"))
}

/// The paths of the libraries that the loader would load.
fn libraries(program: &Path) -> Result<Vec<String>> {
    let listed = output(Command::new("ldd").arg(program))?;
    // `libc.so.6 => /lib/libc.so.6 (0x…)`, or the loader itself: `/lib64/ld-linux-x86-64.so.2 (0x…)`.
    let path =
        |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
    Ok(listed.lines().filter_map(path).collect())
}

fn only_one_in(dir: &Path, prefix: &str) -> Result<PathBuf> {
    let entries =
        std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            found.push(entry.path());
        }
    }
    ensure!(found.len() == 1, "not one `{prefix}…` in {}: {found:?}", dir.display());
    found.pop().context("there is one")
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}: {error}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
