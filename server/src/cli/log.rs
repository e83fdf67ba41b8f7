//! How the log writes what it is given: a message and fields, none of which can forge a line or hide.
//!
//! Errors and refusals repeat what callers sent.

use hitl_proto::visible;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::debug_fn;

/// Writes the message, then each field as `name=value`, with what cannot be seen written out.
pub(super) fn fields() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    let write = debug_fn(|line, field, value| {
        let value = format!("{value:?}");
        match field.name() {
            "message" => write!(line, "{}", visible::line(&value)),
            name => write!(line, "{name}={}", visible::line(&value)),
        }
    });
    write.delimited(" ")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_that_is_logged_can_forge_a_line_or_hide() {
        let lines = Lines::default();
        let writer = {
            let lines = lines.clone();
            move || lines.clone()
        };
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(fields())
            .with_ansi(false)
            .with_writer(writer)
            .finish();
        // With only one subscriber, other tests' threads would decide whether anybody listens.
        let _second =
            tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
        tracing::subscriber::with_default(subscriber, || {
            let evil = "a\n2026 ERROR b\u{202E}\x1b[2J\u{3164}";
            let error = io::Error::other(evil);
            let span = tracing::info_span!("call", evil);
            span.in_scope(|| tracing::info!(%error, evil, "message {evil}"));
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains(['\x1b', '\u{202E}', '\u{3164}']), "{text}");
        let shown = "a\\u{A}2026 ERROR b\\u{202E}\\u{1B}[2J\\u{3164}";
        assert!(text.contains(&format!("message {shown} error={shown}")), "{text}");
    }
}
