//! The contract of `object_store`, by its own published suite.
//!
//! Not run, each because it tests a trait or a thing that this store does not have:
//! * `multipart`, `multipart_with_opts`, `multipart_put_part_out_of_order`: `MultipartStore`, the
//!   bare S3 protocol of upload ids; uploads here are only the `MultipartUpload` of the store;
//! * `list_paginated`: `PaginatedListStore`, page tokens that outlive a call; a listing here is a
//!   stream, and `list_with_offset` goes on where one ended;
//! * `response_extensions`: extensions of HTTP responses; there are none.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

use std::future::Future;
use std::sync::Arc;

use hitl_embedded::{EmbeddedStore, Options};
use object_store::integration as suite;
use object_store::{Error, ObjectStore};

async fn with_store<F: Future<Output = ()>>(test: impl FnOnce(EmbeddedStore) -> F) {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), Options::default()).unwrap();
    test(store).await;
}

/// One test each, on a store of its own: some of them expect it empty.
macro_rules! contract {
    ($($name:ident $(($($argument:expr),+))?;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                with_store(|store| async move { suite::$name(&store $($(, $argument)+)?).await }).await;
            }
        )+
    };
}

contract! {
    put_get_delete_list;
    put_get_attributes;
    get_opts;
    put_opts(true);
    stream_get;
    list_uses_directories_correctly;
    list_with_delimiter;
    list_with_offset_exclusivity;
    rename_and_copy;
    copy_if_not_exists;
    copy_rename_nonexistent_object;
    multipart_race_condition(true);
    multipart_out_of_order;
}

#[tokio::test]
async fn get_nonexistent_object() {
    with_store(|store| async move {
        let error = suite::get_nonexistent_object(&store, None).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    })
    .await;
}

/// Through `dyn`, as the server uses it, and one after the other in one directory.
#[tokio::test]
async fn the_suite_through_a_shared_trait_object() {
    with_store(|store| async move {
        let store: Arc<dyn ObjectStore> = Arc::new(store);
        suite::put_get_delete_list(&store).await;
        suite::list_with_offset_exclusivity(&store).await;
        suite::get_opts(&store).await;
        suite::list_uses_directories_correctly(&store).await;
        suite::list_with_delimiter(&store).await;
        suite::rename_and_copy(&store).await;
        suite::copy_if_not_exists(&store).await;
        suite::stream_get(&store).await;
        suite::put_opts(&store, true).await;
    })
    .await;
}
