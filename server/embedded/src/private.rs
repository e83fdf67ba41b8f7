//! Directories and files that nobody but their owner may open, whatever the umask: what people are asked and answer is
//! theirs, and whoever can open a lock file can hold its lock.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// The mode of a directory of ours.
const DIRECTORY: u32 = 0o700;
/// The mode of a file of ours.
pub(crate) const FILE: u32 = 0o600;
/// What a group and all others may do.
const OTHERS: u32 = 0o077;

/// Creates `path` and the directories above it that are missing, for their owner alone.
///
/// # Errors
/// What the operating system says.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY).create(path)
}

/// Takes `path` and everything below it from everybody but the owner.
///
/// A directory that is closed already is left alone, since nobody can get below it; so a store is walked once, and the
/// directory itself comes last, so that a walk that is cut short is done again.
///
/// # Errors
/// What the operating system says: mostly that `path` belongs to somebody else.
pub fn close(path: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    // A link has no rights of its own, and what it leads to is somebody else's business.
    if meta.is_symlink() || meta.mode() & OTHERS == 0 {
        return Ok(());
    }
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            close_if_there(&entry?.path())?;
        }
    }
    let mode = if meta.is_dir() { DIRECTORY } else { FILE };
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn close_if_there(path: &Path) -> io::Result<()> {
    match close(path) {
        // Another server of the same directory may have removed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // What root has put at the top of a file system holds nothing of ours.
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied
                && path.file_name().is_some_and(|name| name == "lost+found") =>
        {
            Ok(())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn what_others_could_open_is_closed_to_the_bottom_and_once() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        create_dir_all(&top.join("deep/down")).unwrap();
        assert_eq!([mode(&top), mode(&top.join("deep/down"))], [0o700; 2]);
        let file = top.join("deep/down/file");
        fs::write(&file, "x").unwrap();
        let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        let (deep, down) = (top.join("deep"), top.join("deep/down"));
        for (path, loose) in [(&top, 0o755), (&deep, 0o777), (&down, 0o705), (&file, 0o666)] {
            open(path, loose).unwrap();
        }
        close(&top).unwrap();
        assert_eq!(
            [mode(&top), mode(&deep), mode(&down), mode(&file)],
            [0o700, 0o700, 0o700, 0o600]
        );
        open(&file, 0o644).unwrap();
        close(&top).unwrap();
        assert_eq!(mode(&file), 0o644, "nobody gets there, so nobody needs to look");
    }
}
