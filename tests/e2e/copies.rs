//! `hitl store copy`: from one machine to a bucket and back, and what it says when the bucket is not right.

use hitl_proto::v1::value::Kind as Value;
use support::object_server::{Fault, Op};
use support::stores::Kind;

use crate::buckets::Bucket;
use crate::kinds;
use crate::site::{config, start, typed, value_of};

#[tokio::test]
async fn a_store_goes_to_a_bucket_and_back_with_its_links() {
    let bucket = Bucket::new();
    let (mut embedded, site) =
        start(config().kind(Kind::Embedded).arg("--public-url").arg("http://hitl.example")).await;
    let (one, two) = (site.ask(kinds::int()).await, site.ask(kinds::int()).await);
    site.answer(&one, typed(&Value::Int(1))).await.expect("the answer fits");
    embedded.terminate().await.expect("it ends");
    let from = embedded.dir().join("store").display().to_string();
    let key = embedded.dir().join("store.link.key").display().to_string();
    let to = bucket.objects.url("hitl");
    let (done, said) = bucket.hitl(&["store", "copy", &from, &to]).await;
    assert!(done && said.contains(&key), "{said}");
    let (again, said) = bucket.hitl(&["store", "copy", &from, &to]).await;
    assert!(!again && said.contains("holds a store already"), "{said}");

    let (mut server, site) = start(bucket.config().arg("--link-key-file").arg(&key)).await;
    assert_eq!(value_of(&site.get(&one).await), Some(&Value::Int(1)));
    let link = two.api_url.replacen("http://hitl.example", &server.endpoint(), 1);
    let answer = site.http.post(&link).json(&serde_json::json!({"value": 2})).send().await;
    assert!(answer.expect("a reply").status().is_success(), "the link is valid");
    server.terminate().await.expect("it ends");

    let back = embedded.dir().join("back").display().to_string();
    let (done, said) = bucket.hitl(&["store", "copy", &to, &back]).await;
    assert!(done, "{said}");
    let embedded = config().kind(Kind::Embedded).store(back).arg("--link-key-file").arg(&key);
    let (_server, site) = start(embedded).await;
    assert_eq!(value_of(&site.get(&two).await), Some(&Value::Int(2)));
}

#[tokio::test]
async fn a_copy_says_what_is_wrong_with_the_bucket_and_goes_on_where_it_was() {
    let bucket = Bucket::new();
    let (mut stopped, site) = start(config().kind(Kind::Embedded)).await;
    let event = site.ask(kinds::int()).await;
    site.answer(&event, typed(&Value::Int(1))).await.expect("the answer fits");
    stopped.terminate().await.expect("it ends");
    let from = stopped.dir().join("store").display().to_string();
    let key = stopped.dir().join("store.link.key").display().to_string();
    let to = bucket.objects.url("hitl");

    let (done, said) = bucket.hitl(&["store", "copy", &from, "s3://no-such-bucket/hitl"]).await;
    assert!(!done && said.contains("Is there such a bucket"), "{said}");
    assert!(!said.contains("holds a store already"), "{said}");
    let faults = bucket.objects.faults();
    faults.script(Op::Put, "response.json", Fault::PermissionRevoked, 9);
    let (done, said) = bucket.hitl(&["store", "copy", &from, &to]).await;
    assert!(!done && said.contains("may this program read, write"), "{said}");
    assert!(said.contains("run the same command again"), "{said}");
    faults.calm();
    // What is refused although nothing is there is no difference.
    faults.script(Op::Put, "response.json", Fault::Conflict, 2);
    let (done, said) = bucket.hitl(&["store", "copy", &from, &to]).await;
    assert!(done, "{said}");
    assert_eq!(faults.fired().get(&Fault::Conflict), Some(&2));
    let (_server, site) = start(bucket.config().arg("--link-key-file").arg(key)).await;
    assert_eq!(value_of(&site.get(&event).await), Some(&Value::Int(1)));
}
