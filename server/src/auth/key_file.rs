//! The file with the key of the links: made for its owner alone, and refused if others can read it, since whoever has
//! the key can make links to every event. Other files with keys are held to the same.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use hitl_store::random::{self, Random};

/// Longest file that is read: a key, and what surrounds it.
const FILE_BYTES_MAX: u64 = 1024;

/// What is in `file`.
pub(super) fn read(file: &Path) -> io::Result<String> {
    let opened = File::open(file)?;
    refuse_exposed(file, &opened, "may answer everything")?;
    let mut text = String::new();
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a new key in a file of its own and then gives that its name, so that nobody ever
/// reads half a key; whoever comes second leaves the first one's.
pub(super) fn make(file: &Path, random: &dyn Random) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let scratch = file.with_extension(digits(&random::bytes::<8>(random)));
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&scratch)?;
    let linked = written
        .write_all(digits(&random::bytes::<32>(random)).as_bytes())
        .and_then(|()| written.sync_all())
        .and_then(|()| std::fs::hard_link(&scratch, file));
    std::fs::remove_file(&scratch)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A file that root owns and gives to our group to read is how a secret is handed to a server, by Kubernetes for one:
/// nobody else is in that group, and we could not change it. `power` is what whoever has the key can do.
pub(crate) fn refuse_exposed(file: &Path, opened: &File, power: &str) -> io::Result<()> {
    let meta = opened.metadata()?;
    let us = rustix::process::geteuid().as_raw();
    let is_handed_over = meta.uid() == 0 && us != 0;
    let exposed = if is_handed_over { 0o037 } else { 0o077 };
    if meta.mode() & exposed == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("others can read it, and whoever can {power}: run `chmod 600 {}`", file.display()),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::auth::LinkKey;
    use hitl_store::random::SystemRandom;

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/link.key");
        LinkKey::load_or_make(&file, &SystemRandom).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!([mode(&file), mode(&directory.path().join("deep"))], [0o600, 0o700]);
        let set = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        for exposed in [0o604, 0o640, 0o660, 0o602, 0o777] {
            set(exposed);
            let refused = LinkKey::load_or_make(&file, &SystemRandom).unwrap_err().to_string();
            let command = format!("`chmod 600 {}`", file.display());
            assert!(refused.contains(&command), "{exposed:o}: {refused}");
        }
        for private in [0o600, 0o400] {
            set(private);
            LinkKey::load_or_make(&file, &SystemRandom).unwrap();
        }
    }
}
