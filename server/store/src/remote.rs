//! Buckets: clients of the three clouds' stores, with every limit set on purpose.

use std::ffi::OsString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use hitl_core::Timestamp;
use object_store::aws::AmazonS3ConfigKey::DisableBulkDelete;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::{
    ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest,
    HttpResponse, HttpService, ReqwestConnector,
};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::limit::LimitStore;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use crate::clock::Clock;
use crate::paging;
use crate::skew::Skew;
use crate::url::{Bucket, Cloud};

/// Requests under way at a time. Each has a connection of its own, since the clouds speak HTTP/1.
const REQUESTS_MAX: usize = 128;

/// The settings of a client unless the environment says otherwise. A request is given up soon, since a caller waits for
/// it, and what became of it is found out by reading.
const CLIENT_DEFAULTS: [(ClientConfigKey, &str); 4] = [
    (ClientConfigKey::Timeout, "5s"),
    (ClientConfigKey::ConnectTimeout, "2s"),
    (ClientConfigKey::PoolIdleTimeout, "30s"),
    (ClientConfigKey::UserAgent, concat!("hitl/", env!("CARGO_PKG_VERSION"))),
];

/// A builder with our defaults and then what the environment says. The builders of the three clouds have the same
/// methods and no trait in common; their own `from_env` would keep their own defaults.
macro_rules! from_environment {
    ($builder:expr, $key:ident, $prefix:literal) => {{
        let mut builder = $builder.with_retry(retries());
        for (key, value) in CLIENT_DEFAULTS {
            builder = builder.with_config($key::Client(key), value);
        }
        for (name, value) in settings($prefix) {
            if let Ok(key) = name.parse::<$key>() {
                builder = builder.with_config(key, value);
            }
        }
        builder
    }};
}

/// The bucket, with what the environment says of credentials and options; `skew` learns from its replies.
///
/// # Errors
/// What is wrong with the settings.
pub(crate) fn connect(
    bucket: &Bucket,
    clock: Arc<dyn Clock>,
    skew: Arc<Skew>,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    // If it is installed already, it is the same.
    static TLS: Once = Once::new();
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let connector = Observant::new(clock, skew);
    let store: Box<dyn ObjectStore> = match bucket.cloud {
        Cloud::S3 => {
            // Objects are deleted one at a time. That is free, while a bulk request costs as much as a write and is not
            // supported everywhere.
            let builder = AmazonS3Builder::new().with_config(DisableBulkDelete, "true");
            Box::new(
                from_environment!(builder, AmazonS3ConfigKey, "AWS_")
                    .with_bucket_name(&bucket.name)
                    .with_http_connector(connector)
                    .build()?,
            )
        }
        Cloud::Google => Box::new(
            from_environment!(GoogleCloudStorageBuilder::new(), GoogleConfigKey, "GOOGLE_")
                .with_bucket_name(&bucket.name)
                .with_http_connector(connector)
                .build()?,
        ),
        Cloud::Azure => Box::new(
            from_environment!(MicrosoftAzureBuilder::new(), AzureConfigKey, "AZURE_")
                .with_container_name(&bucket.name)
                .with_http_connector(connector)
                .build()?,
        ),
    };
    Ok(Arc::new(LimitStore::new(PrefixStore::new(store, bucket.prefix.clone()), REQUESTS_MAX)))
}

/// The variables of the environment that begin with `prefix`, in lower case.
fn settings(prefix: &str) -> Vec<(String, String)> {
    let utf8 = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let all = std::env::vars_os().filter_map(utf8);
    let ours = all.filter(|(name, _)| name.starts_with(prefix));
    ours.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

/// Few repetitions, and soon: a caller who would wait longer is told that the store is unavailable, and asks again.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: Duration::from_secs(5),
    }
}

/// Notes the time that the store shows in every reply, and looks at the pages of its listings.
///
/// Whoever hands out credentials has a clock too, which may be this machine's own. A builder makes the clients for
/// those first and the store's own last, so that one alone is listened to.
#[derive(Debug, Clone)]
struct Observant {
    clock: Arc<dyn Clock>,
    skew: Arc<Skew>,
    clients: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Observed {
    client: HttpClient,
    /// Which client it is of those that were made, from 1.
    number: usize,
    by: Observant,
}

impl Observant {
    fn new(clock: Arc<dyn Clock>, skew: Arc<Skew>) -> Self {
        Self { clock, skew, clients: Arc::default() }
    }
}

impl HttpConnector for Observant {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        let number = self.clients.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(HttpClient::new(Observed { client, number, by: self.clone() }))
    }
}

#[async_trait]
impl HttpService for Observed {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Observant { clock, skew, clients } = &self.by;
        let sent = clock.now();
        let query = request.uri().query().map(str::to_owned);
        let reply = self.client.execute(request).await?;
        if self.number == clients.load(Ordering::Relaxed) {
            let date = reply.headers().get(http::header::DATE);
            if let Some(date) = date.and_then(|date| date.to_str().ok()).and_then(http_date) {
                skew.observe(sent, clock.now(), date, clock.monotonic());
            }
        }
        paging::checked(query.as_deref(), reply).await
    }
}

/// The instant in a `Date` header, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Timestamp::from_ms(date.timestamp_millis())
}

/// Where the credentials of a cloud usually come from: for whoever forgot them.
pub(crate) fn credentials_hint(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::S3 => {
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of this machine, with AWS_REGION; \
             AWS_ENDPOINT for a store that is not Amazon's"
        }
        Cloud::Google => {
            "GOOGLE_SERVICE_ACCOUNT (a file) or GOOGLE_SERVICE_ACCOUNT_KEY, or the service account of this machine"
        }
        Cloud::Azure => {
            "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY, or the identity of this machine"
        }
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
