//! Listings that do not end, or end too early.

use futures::TryStreamExt;

use super::*;

fn page(token: &str, is_truncated: bool) -> String {
    let token = match token {
        "" => String::new(),
        token => format!("<NextContinuationToken>{token}</NextContinuationToken>"),
    };
    format!("<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>{token}</ListBucketResult>")
}

async fn reply(query: &str, body: String) -> Result<HttpResponse, HttpError> {
    checked(Some(query), HttpResponse::new(Bytes::from(body).into())).await
}

fn fault(error: &HttpError) -> &Fault {
    std::error::Error::source(error).and_then(|source| source.downcast_ref()).expect("a fault")
}

#[tokio::test]
async fn a_token_that_comes_twice_ends_the_listing_even_two_pages_later() {
    let listing = async {
        for token in ["a", "b"] {
            reply("list-type=2", page(token, true)).await.unwrap();
        }
        reply("list-type=2&continuation-token=b", page("a", true)).await.map(drop)
    };
    let error = bounded(10, listing).await.unwrap_err();
    assert_eq!(*fault(&error), Fault::TokenTwice("a".to_owned()));
    // Another listing of the same may get the same tokens.
    bounded(10, reply("list-type=2", page("a", true))).await.unwrap();
}

#[tokio::test]
async fn a_listing_that_goes_on_without_saying_where_is_refused() {
    let error = bounded(10, reply("list-type=2", page("", true))).await.unwrap_err();
    assert_eq!(*fault(&error), Fault::NoToken);
    bounded(10, reply("list-type=2", page("", false))).await.unwrap();
    let azure = "<EnumerationResults><NextMarker /></EnumerationResults>";
    bounded(10, reply("restype=container&comp=list", azure.to_owned())).await.unwrap();
}

#[tokio::test]
async fn a_listing_with_ever_new_tokens_ends_after_so_many_pages() {
    let listing = async {
        for number in 0.. {
            reply("comp=list", format!("<NextMarker>{number}</NextMarker>")).await?;
        }
        Ok::<_, HttpError>(())
    };
    let error = bounded(10, listing).await.unwrap_err();
    assert_eq!(*fault(&error), Fault::TooManyPages(10));
}

#[tokio::test]
async fn what_is_no_listing_is_passed_on_as_it_is() {
    let body = page("", true);
    let passed = reply("uploadId=1", body.clone()).await.unwrap().into_body().bytes().await;
    assert_eq!(passed.unwrap(), body);
    let whole = page("x", true);
    let listed = bounded(10, reply("list-type=2", whole.clone())).await.unwrap();
    assert_eq!(listed.into_body().bytes().await.unwrap(), whole);
}

fn object(number: usize) -> Result<ObjectMeta, StoreError> {
    Ok(ObjectMeta {
        location: Path::from(format!("k/{number}")),
        last_modified: chrono::DateTime::UNIX_EPOCH,
        size: 0,
        e_tag: None,
        version: None,
    })
}

#[tokio::test]
async fn keys_that_come_again_end_the_listing_wherever_they_begin_to() {
    for (before, cycle) in [(0, 1), (0, 7), (5, 3), (100, 40)] {
        let endless = (0..before).chain((before..before + cycle).cycle()).map(object);
        let listed = watched(10, stream::iter(endless).boxed());
        let mut listed = Box::pin(listed);
        let mut count = 0;
        let error = loop {
            match listed.try_next().await {
                Ok(Some(_)) => count += 1,
                Ok(None) => panic!("it has no end"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("came twice"), "{error}");
        assert!(count < 4 * (before + cycle) + 4, "{count}");
        assert!(listed.try_next().await.unwrap().is_none());
    }
    let all: Vec<_> = watched(10, stream::iter((0..5_000).map(object)).boxed()).collect().await;
    assert!(all.len() == 5_000 && all.iter().all(Result::is_ok));
}
