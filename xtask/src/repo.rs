//! Where things are in the repository, so that every command works from any directory below it.

use std::env;
use std::path::{Path, PathBuf};

/// The top of the repository.
pub(crate) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands below the top")
}

/// Where cargo puts what it builds, and we what we install.
pub(crate) fn target() -> PathBuf {
    // A relative value is relative to where cargo is called: always the top, from here.
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), |dir| top().join(dir))
}
