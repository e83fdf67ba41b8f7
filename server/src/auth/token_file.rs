//! The file with the token of an admin, which is refused if others can read it.

use std::io;
use std::path::Path;

use super::key_file;

/// Shortest token that is taken: what can be guessed is none.
const CHARS_MIN: usize = 32;

/// The token in `file`.
///
/// # Errors
/// It cannot be read, or others can read it, or it holds no token.
pub fn read(file: &Path) -> io::Result<String> {
    let text = key_file::read(file)?;
    let token = text.trim();
    let is_token = token.len() >= CHARS_MIN && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token {
        let message = format!(
            "it must hold a token and nothing else: at least {CHARS_MIN} letters and digits that nobody can guess, \
             such as `openssl rand -hex 32` prints"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_holds_one_long_token_and_nobody_else_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let write = |text: &str, mode| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            read(&file)
        };
        let token = "a".repeat(CHARS_MIN);
        assert_eq!(write(&format!("{token}\n"), 0o600).unwrap(), token);
        let refused = write(&token, 0o644).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
        for wrong in ["", "short", &format!("{token} {token}")] {
            assert!(write(wrong, 0o600).is_err(), "{wrong}");
        }
    }
}
