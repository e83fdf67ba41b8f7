//! Pages in the browser of whoever sits at this machine.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Longest that the desktop may take to say that it opens something.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether there is a screen to open a browser on.
pub(super) fn has_display() -> bool {
    let has = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || has("DISPLAY") || has("WAYLAND_DISPLAY")
}

/// Has the desktop open `target`. Says whether it does.
pub(super) async fn open(target: &Path) -> bool {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut opener = Command::new(opener);
    opener.arg(target).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let opened = tokio::task::spawn_blocking(move || opener.status());
    matches!(tokio::time::timeout(PATIENCE, opened).await, Ok(Ok(Ok(status))) if status.success())
}
