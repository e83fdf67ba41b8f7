//! The file with the key that links are signed with, and with another while that key is changed.
//!
//! The first line is the key that signs. A second line may say `previous` and the key that signed before, whose links
//! stay good; or `next` and the key that others sign with soon or already, whose links are good as well. So two servers
//! of one store understand each other's links while one has the new file and the other has not.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hitl_store::random::{self, Random};
use hitl_store::{LinkKeyPrints, StoreUrl};
use sha2::{Digest, Sha256};

use super::key_file::{self, KEY_BYTES};

/// Keeps the hash of the key apart from every other use of it.
const FINGERPRINT_DOMAIN: &[u8] = b"hitl link key fingerprint v1\0";

/// A secret that links are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; KEY_BYTES]);

/// The keys that a server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkKeys {
    signing: LinkKey,
    beside: Option<Beside>,
}

/// A key whose links are good, and which signs none.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Beside {
    /// It signed before.
    Previous(LinkKey),
    /// It will sign.
    Next(LinkKey),
}

/// Hashes of the keys, by which others are told from them.
#[derive(Clone, Debug)]
pub struct Prints {
    signing: String,
    previous: Option<String>,
    next: Option<String>,
}

impl LinkKey {
    /// A key of 32 secret bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    fn made(random: &dyn Random) -> Self {
        Self(random::bytes(random))
    }

    fn fingerprint(&self) -> String {
        let hash = Sha256::new().chain_update(FINGERPRINT_DOMAIN).chain_update(self.0).finalize();
        BASE64.encode(hash)
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(secret)")
    }
}

impl LinkKeys {
    /// One key alone.
    pub fn one(signing: LinkKey) -> Self {
        Self { signing, beside: None }
    }

    /// The keys in `file`, which is made with one key if it is not there, readable by its owner alone.
    ///
    /// # Errors
    /// The file cannot be read or made, can be read by others, or holds no keys.
    pub fn load_or_make(file: &Path, random: &dyn Random) -> io::Result<Self> {
        key_file::load_or_make_text(file, random).and_then(|text| Self::parse(&text))
    }

    /// Whether another key has signed before, whose links stay good.
    pub fn has_previous(&self) -> bool {
        matches!(self.beside, Some(Beside::Previous(_)))
    }

    /// Every key whose links are good; the first signs.
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8; KEY_BYTES]> {
        let beside = self.beside.as_ref().map(|beside| match beside {
            Beside::Previous(key) | Beside::Next(key) => key,
        });
        [&self.signing].into_iter().chain(beside).map(|key| &key.0)
    }

    /// Their hashes.
    pub fn prints(&self) -> Prints {
        let (previous, next) = match &self.beside {
            None => (None, None),
            Some(Beside::Previous(key)) => (Some(key.fingerprint()), None),
            Some(Beside::Next(key)) => (None, Some(key.fingerprint())),
        };
        Prints { signing: self.signing.fingerprint(), previous, next }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let signing = LinkKey(key_file::parse(lines.next().unwrap_or_default())?);
        let beside = lines.next().map(|line| match line.split_once(' ') {
            Some(("previous", key)) => Ok(Beside::Previous(LinkKey(key_file::parse(key.trim())?))),
            Some(("next", key)) => Ok(Beside::Next(LinkKey(key_file::parse(key.trim())?))),
            _ => Err(invalid("its second line must be \"previous\" or \"next\" and a key")),
        });
        let beside = beside.transpose()?;
        match lines.next() {
            None => Ok(Self { signing, beside }),
            Some(_) => Err(invalid("it must have two lines at most")),
        }
    }

    fn text(&self) -> String {
        let signing = key_file::digits(&self.signing.0);
        match &self.beside {
            None => signing,
            Some(Beside::Previous(key)) => {
                format!("{signing}\nprevious {}\n", key_file::digits(&key.0))
            }
            Some(Beside::Next(key)) => format!("{signing}\nnext {}\n", key_file::digits(&key.0)),
        }
    }

    /// With another key beside, which will sign.
    ///
    /// # Errors
    /// There is one beside already.
    fn staged(self, random: &dyn Random) -> io::Result<Self> {
        match self.beside {
            None => Ok(Self { beside: Some(Beside::Next(LinkKey::made(random))), ..self }),
            Some(Beside::Next(_)) => {
                Err(invalid("it has a next key already: give it to every server"))
            }
            Some(Beside::Previous(_)) => Err(invalid(STILL_PREVIOUS)),
        }
    }

    /// With the next key to sign, which is made if there is none, and the one that signs now as the previous.
    ///
    /// # Errors
    /// There is a previous one already.
    fn rotated(self, random: &dyn Random) -> io::Result<Self> {
        let signing = match self.beside {
            None => LinkKey::made(random),
            Some(Beside::Next(next)) => next,
            Some(Beside::Previous(_)) => return Err(invalid(STILL_PREVIOUS)),
        };
        Ok(Self { signing, beside: Some(Beside::Previous(self.signing)) })
    }

    /// Without the previous key.
    ///
    /// # Errors
    /// There is none.
    fn without_previous(self) -> io::Result<Self> {
        match self.beside {
            Some(Beside::Previous(_)) => Ok(Self::one(self.signing)),
            None | Some(Beside::Next(_)) => Err(invalid("it has no previous key")),
        }
    }
}

/// Why a key is not changed.
const STILL_PREVIOUS: &str = "links of its previous key are good still: run `hitl link-key forget` once their events \
                              have ended, or now if that key must not be good any more";

impl Prints {
    /// As the store takes them.
    pub fn as_given(&self) -> LinkKeyPrints<'_> {
        LinkKeyPrints {
            signing: &self.signing,
            previous: self.previous.as_deref(),
            next: self.next.as_deref(),
        }
    }
}

/// What becomes of the keys in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another key is put beside, whose links are good then.
    Stage,
    /// Another key signs.
    Rotate,
    /// The key that signed before is good no more.
    Forget,
}

/// Changes the keys in `file`, whole and durably.
///
/// # Errors
/// The step is not the next one, or the file cannot be read or written, can be read by others, or holds no keys.
pub fn change(file: &Path, step: Step, random: &dyn Random) -> io::Result<()> {
    let keys = LinkKeys::parse(&key_file::read(file)?)?;
    let changed = match step {
        Step::Stage => keys.staged(random),
        Step::Rotate => keys.rotated(random),
        Step::Forget => keys.without_previous(),
    };
    key_file::replace_text(file, &changed?.text(), random)
}

/// Where the keys are, unless somebody says otherwise: beside an embedded store and not in it, so that a copy of the
/// store does not let its holder answer; else in the data directory. A store in memory has none that last.
///
/// # Errors
/// Those of `data_dir`.
pub fn place<E>(
    store: &StoreUrl,
    data_dir: impl FnOnce() -> Result<PathBuf, E>,
) -> Result<Option<PathBuf>, E> {
    match store {
        StoreUrl::Memory => Ok(None),
        StoreUrl::Embedded(directory) => Ok(Some(super::beside(directory, "link"))),
        StoreUrl::Files(_) | StoreUrl::Bucket(_) => Ok(Some(data_dir()?.join("link.key"))),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use hitl_store::random::SystemRandom;

    use super::*;

    fn load(file: &Path) -> LinkKeys {
        LinkKeys::load_or_make(file, &SystemRandom).unwrap()
    }

    fn step(file: &Path, step: Step) -> io::Result<()> {
        change(file, step, &SystemRandom)
    }

    #[test]
    fn a_key_is_made_once_and_then_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/link.key");
        let keys = load(&file);
        assert_eq!(load(&file), keys);
        assert_eq!(keys.all().count(), 1);
        let key = std::fs::read_to_string(&file).unwrap();
        for bad in ["short", "", &format!("{key}\n{key}"), &format!("{key}\nprevious x")] {
            std::fs::write(&file, bad).unwrap();
            assert!(LinkKeys::load_or_make(&file, &SystemRandom).is_err(), "{bad}");
        }
        std::fs::write(&file, format!("{key}\nprevious {key}\nnext {key}")).unwrap();
        assert!(LinkKeys::load_or_make(&file, &SystemRandom).is_err());
    }

    #[test]
    fn the_key_before_stays_good_until_it_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("link.key");
        let first = load(&file);
        step(&file, Step::Rotate).unwrap();
        let second = load(&file);
        assert_ne!(second.signing, first.signing);
        assert_eq!(second.beside, Some(Beside::Previous(first.signing.clone())));
        // No key whose links may be good goes unasked.
        for early in [Step::Rotate, Step::Stage] {
            let refused = step(&file, early).unwrap_err().to_string();
            assert!(refused.contains("hitl link-key forget"), "{refused}");
        }
        step(&file, Step::Forget).unwrap();
        assert_eq!(load(&file), LinkKeys::one(second.signing));
        assert!(step(&file, Step::Forget).is_err());
        step(&file, Step::Rotate).unwrap();
    }

    #[test]
    fn a_key_that_was_staged_is_the_one_that_signs_next() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("link.key");
        let first = load(&file);
        step(&file, Step::Stage).unwrap();
        let staged = load(&file);
        assert_eq!(staged.signing, first.signing);
        let Some(Beside::Next(next)) = staged.beside.clone() else { panic!("{staged:?}") };
        assert!(step(&file, Step::Stage).is_err() && step(&file, Step::Forget).is_err());
        step(&file, Step::Rotate).unwrap();
        let rotated = load(&file);
        assert_eq!(
            (&rotated.signing, &rotated.beside),
            (&next, &Some(Beside::Previous(first.signing.clone())))
        );
        let prints = [first, staged, rotated].map(|keys| keys.prints());
        assert_eq!(prints[1].next.as_ref(), Some(&prints[2].signing));
        assert_eq!(prints[2].previous.as_ref(), Some(&prints[0].signing));
    }
}
