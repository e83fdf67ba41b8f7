//! Where the programs are that this one starts.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// The absolute path of a program. A bare name is looked for in `path`, which is what `PATH` holds, and there in
/// absolute directories alone: an empty or relative one means wherever this program happens to run, and whoever may
/// write there must not choose what it starts.
pub(crate) fn find(program: &Path, path: Option<&OsStr>) -> io::Result<PathBuf> {
    if program.components().count() > 1 || program.has_root() {
        return std::path::absolute(program);
    }
    let mut with_suffix = program.as_os_str().to_owned();
    with_suffix.push(std::env::consts::EXE_SUFFIX);
    let directories = path.into_iter().flat_map(std::env::split_paths);
    directories
        .filter(|directory| directory.is_absolute())
        .flat_map(|directory| [directory.join(program), directory.join(&with_suffix)])
        .find(|place| is_program(place))
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no directory of PATH has it"))
}

#[cfg(unix)]
fn is_program(place: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(place).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(place: &Path) -> bool {
    place.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn plant(path: &Path) {
        std::fs::write(path, "#!/bin/sh\n").expect("the directory is ours");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .expect("the file is ours");
    }

    /// The working directory is that of all tests, so the program is planted where that is.
    #[test]
    fn a_bare_name_is_never_found_in_the_working_directory() {
        let installed = tempfile::tempdir().unwrap();
        let here = tempfile::tempdir_in(".").unwrap();
        let relative = Path::new(here.path().file_name().unwrap());
        let name = PathBuf::from(format!("planted-{}", std::process::id()));
        plant(&relative.join(&name));
        plant(&installed.path().join(&name));
        std::os::unix::fs::symlink(relative.join(&name), &name).unwrap();
        let below = relative.to_str().unwrap();
        let up = format!("./{below}");
        for path in ["", ":", ".", "..", below, up.as_str(), "/nowhere:", ":/nowhere", "::."] {
            assert!(find(&name, Some(path.as_ref())).is_err(), "{path:?}");
            let all = format!("{path}:{}", installed.path().display());
            let found = find(&name, Some(all.as_ref())).unwrap();
            assert_eq!(found, installed.path().join(&name), "{path:?}");
        }
        assert!(find(&name, None).is_err());
        // What is given as a path is meant as one.
        let given = find(&Path::new(".").join(&name), None).unwrap();
        assert!(given.is_absolute() && given.is_file(), "{given:?}");
        std::fs::remove_file(&name).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_run_is_no_program() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(first.path().join("tool"), "").unwrap();
        plant(&second.path().join("tool"));
        let path = std::env::join_paths([first.path(), second.path()]).unwrap();
        assert_eq!(find(Path::new("tool"), Some(&path)).unwrap(), second.path().join("tool"));
    }
}
