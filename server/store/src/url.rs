//! The value of `--store`: which kind of store, and where.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use object_store::path::Path;

/// Where events are kept: the value of `--store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A directory of the embedded store: a plain path.
    Embedded(PathBuf),
    /// Memory, lost with the process: `memory://`.
    Memory,
    /// A directory of plain files, each synced: `file:///path`.
    Files(PathBuf),
    /// A bucket, or a part of one, which any number of replicas share.
    Bucket(Bucket),
}

/// A bucket, and the prefix below which everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Whose bucket it is.
    pub cloud: Cloud,
    /// Its name; on Azure that of the container.
    pub name: String,
    /// Empty for the whole bucket.
    pub prefix: Path,
}

/// The protocols that buckets are reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// `s3://`: Amazon S3, and what speaks its protocol.
    S3,
    /// `gs://`: Google Cloud Storage.
    Google,
    /// `az://`: Azure Blob Storage.
    Azure,
}

const KINDS: &str = "a path (the embedded store), memory://, file:///path, s3://bucket/prefix, \
                     gs://bucket/prefix or az://container/prefix";

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            None if text.is_empty() => Err(format!("the store must not be empty: give {KINDS}")),
            None => Ok(Self::Embedded(text.into())),
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::Files(path.into())),
            Some(("file", _)) => Err("a file store needs an absolute path: file:///path".into()),
            Some(("s3", rest)) => Bucket::parse(Cloud::S3, rest).map(Self::Bucket),
            Some(("gs", rest)) => Bucket::parse(Cloud::Google, rest).map(Self::Bucket),
            Some(("az", rest)) => Bucket::parse(Cloud::Azure, rest).map(Self::Bucket),
            Some((scheme, _)) => {
                Err(format!("there is no store of the kind {scheme}://: give {KINDS}"))
            }
        }
    }
}

impl Bucket {
    fn parse(cloud: Cloud, rest: &str) -> Result<Self, String> {
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let scheme = cloud.scheme();
        if name.is_empty() {
            return Err(format!("the bucket is missing: {scheme}://bucket/prefix"));
        }
        if rest.contains(['?', '#', '@']) {
            return Err(format!(
                "{scheme}:// takes a bucket and a prefix only: credentials and options come from \
                 the environment"
            ));
        }
        let prefix = Path::parse(prefix).map_err(|error| format!("the prefix: {error}"))?;
        Ok(Self { cloud, name: name.to_owned(), prefix })
    }
}

impl Cloud {
    /// What stands before `://`.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }
}

impl StoreUrl {
    /// Whether several processes may use the store at the same time.
    pub fn is_shared(&self) -> bool {
        match self {
            Self::Embedded(_) | Self::Memory => false,
            Self::Files(_) | Self::Bucket(_) => true,
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(path) => path.display().fmt(f),
            Self::Memory => f.write_str("memory://"),
            Self::Files(path) => write!(f, "file://{}", path.display()),
            Self::Bucket(bucket) => bucket.fmt(f),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.cloud.scheme(), self.name)?;
        if self.prefix.as_ref().is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_store_says_its_kind_or_what_to_write_instead() {
        assert_eq!("data".parse(), Ok(StoreUrl::Embedded("data".into())));
        assert_eq!("memory://".parse(), Ok(StoreUrl::Memory));
        assert_eq!("file:///d".parse(), Ok(StoreUrl::Files("/d".into())));
        let bucket = |cloud, prefix: &str| {
            Ok(StoreUrl::Bucket(Bucket { cloud, name: "b".into(), prefix: prefix.into() }))
        };
        assert_eq!("s3://b".parse(), bucket(Cloud::S3, ""));
        assert_eq!("s3://b/".parse(), bucket(Cloud::S3, ""));
        assert_eq!("gs://b/p".parse(), bucket(Cloud::Google, "p"));
        assert_eq!("az://b/p/q/".parse(), bucket(Cloud::Azure, "p/q"));
        for bad in ["", "file://d", "ftp://x", "memory://x", "s3://", "s3:///p", "s3://b/p?x=1"] {
            assert!(bad.parse::<StoreUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_store_is_shown_as_it_was_given() {
        for text in ["data", "memory://", "file:///d", "s3://b", "gs://b/p", "az://b/p/q"] {
            assert_eq!(text.parse::<StoreUrl>().unwrap().to_string(), text);
        }
    }
}
