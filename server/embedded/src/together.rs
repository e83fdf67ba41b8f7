//! Several writes that are one: all of them become durable, or none does.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Attributes, Result};

use crate::batch::{Op, Step};
use crate::reserve::NewWork;
use crate::{EmbeddedStore, record};

/// One of several writes, each to another path.
#[derive(Clone, Debug)]
pub enum Write {
    /// Put an object where none is. If there is one, none of the writes is done.
    Create(Path, Bytes),
    /// Put an object, whatever is there.
    Put(Path, Bytes),
    /// Remove an object, if there is one.
    Delete(Path),
}

impl EmbeddedStore {
    /// Does all of `writes` or none of them, in one step for whoever reads.
    ///
    /// # Errors
    /// [`AlreadyExists`](object_store::Error::AlreadyExists) of a [`Write::Create`], and those of any other write.
    pub async fn write(&self, writes: Vec<Write>, new_work: Option<NewWork>) -> Result<()> {
        let steps = writes.into_iter().map(|write| self.step(write)).collect::<Result<_>>()?;
        self.submit(Op::Together { steps, is_new_work: new_work.is_some() }).await.map(drop)
    }

    fn step(&self, write: Write) -> Result<Step> {
        let put = |location: &Path, body: Bytes, creates| {
            self.check_size(body.len())?;
            let record = record::encode(&Attributes::new(), &body.into())?;
            Ok(Step { key: self.key(location)?, record: Some(record), creates })
        };
        match write {
            Write::Create(location, body) => put(&location, body, true),
            Write::Put(location, body) => put(&location, body, false),
            Write::Delete(location) => {
                Ok(Step { key: self.key(&location)?, record: None, creates: false })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use object_store::{Error, ObjectStoreExt};

    use super::*;
    use crate::{Durability, Options};

    fn writes(body: &'static str) -> Vec<Write> {
        let bytes = Bytes::from_static(body.as_bytes());
        vec![
            Write::Put("beside".into(), bytes.clone()),
            Write::Create("decides".into(), bytes),
            Write::Delete("gone".into()),
        ]
    }

    #[tokio::test]
    async fn all_of_several_writes_are_done_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let options = || Options { durability: Durability::Buffered, ..Options::default() };
        let store = EmbeddedStore::open(dir.path(), options()).unwrap();
        store.put(&"gone".into(), "x".into()).await.unwrap();
        store.write(writes("first"), None).await.unwrap();
        let get = async |store: &EmbeddedStore, path: &str| {
            store.get(&path.into()).await.unwrap().bytes().await.unwrap()
        };
        assert_eq!(get(&store, "decides").await, "first");
        let gone = store.head(&"gone".into()).await.unwrap_err();
        assert!(matches!(gone, Error::NotFound { .. }));

        store.put(&"gone".into(), "x".into()).await.unwrap();
        let refused = store.write(writes("second"), Some(NewWork)).await.unwrap_err();
        assert!(matches!(refused, Error::AlreadyExists { path, .. } if path == "decides"));
        drop(store);
        let store = EmbeddedStore::open(dir.path(), options()).unwrap();
        assert_eq!(get(&store, "decides").await, "first");
        assert_eq!(get(&store, "beside").await, "first", "nothing of the second was written");
        assert_eq!(get(&store, "gone").await, "x");
    }

    #[tokio::test]
    async fn of_writes_that_race_one_is_done_and_the_others_are_refused_by_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(dir.path(), Options::default()).unwrap();
        let tries = (0..32).map(|_| store.write(writes("x"), None));
        let done = futures::future::join_all(tries).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
        let refused = |done: &Result<()>| matches!(done, Err(Error::AlreadyExists { .. }));
        assert_eq!(done.iter().filter(|done| refused(done)).count(), 31);
    }
}
