//! Versions as all registries write them, as far as order goes: numbers, compared one after the other.

use std::cmp::Ordering;

/// The numbers of a version; what follows a `+`, a `-` or a letter is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version(Vec<u64>);

impl Version {
    /// The version that `text` is, such as `1.64.1`, `v1.64.1` or `5.0-alpha`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let numbers = text[..end].trim_end_matches('.').split('.').map(str::parse);
        numbers.collect::<Result<Vec<u64>, _>>().ok().map(Self)
    }

    /// Whether it is no older than the floor of its line, or beyond all `floors` if its line has none.
    pub(super) fn stands_on(&self, floors: &[Version]) -> bool {
        match floors.iter().find(|floor| floor.line() == self.line()) {
            Some(floor) => self >= floor,
            None => floors.iter().all(|floor| self > floor),
        }
    }

    /// The numbers whose change says that something may be incompatible.
    fn line(&self) -> &[u64] {
        let length = if self.0.first() == Some(&0) { 2 } else { 1 };
        &self.0[..length.min(self.0.len())]
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.0.len().max(other.0.len());
        let padded = |numbers: &[u64]| {
            let zeros = std::iter::repeat_n(0, length - numbers.len());
            numbers.iter().copied().chain(zeros).collect::<Vec<_>>()
        };
        padded(&self.0).cmp(&padded(&other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(version("0.4.9") < version("0.4.16"));
        assert!(version("v1.64.1") == version("1.64.1"));
        assert!(version("5.0") < version("5.0.1"));
        assert!(version("2.0.0-rc.1") <= version("2.0.0"));
        assert_eq!(Version::parse("latest"), None);
        assert_eq!(Version::parse(""), None);
    }

    #[test]
    fn each_line_has_its_floor() {
        let floors = [version("1.1.12"), version("2.0.2")];
        for good in ["1.1.12", "1.2", "2.0.2", "2.1.0", "3.0.0"] {
            assert!(version(good).stands_on(&floors), "{good}");
        }
        for bad in ["1.1.11", "2.0.1", "0.9.0"] {
            assert!(!version(bad).stands_on(&floors), "{bad}");
        }
        let floors = [version("0.4.16")];
        assert!(version("0.5.0").stands_on(&floors));
        assert!(!version("0.3.99").stands_on(&floors));
    }
}
