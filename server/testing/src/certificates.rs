//! Certificates for tests: an authority, what it has signed for servers and clients, and what no peer should take.
//!
//! Everything is a PEM file in one directory, as a server, a client in any language, curl and openssl read it:
//!
//! | files | what they are |
//! |---|---|
//! | `ca.pem`, `ca.key` | the authority |
//! | `server.pem`, `server.key` | of a server: `localhost`, `hitl.test`, 127.0.0.1, ::1 |
//! | `other.pem`, `other.key` | of a server with other names: `other.test` |
//! | `expired.pem`, `expired.key` | of a server, as `server.pem`, but until 2001 |
//! | `client.pem`, `client.key` | of a client: `task.hitl.test` and `spiffe://hitl.test/task` |
//! | `stranger-ca.pem` | an authority that nobody trusts |
//! | `stranger.pem`, `stranger.key` | of a client, signed by that one, with the names of `client.pem` |

use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

/// Names of the server of the tests.
pub const SERVER_NAMES: [&str; 4] = ["localhost", "hitl.test", "127.0.0.1", "::1"];
/// Names of the client of the tests.
pub const CLIENT_DNS_NAME: &str = "task.hitl.test";
/// The same as an address.
pub const CLIENT_URI_NAME: &str = "spiffe://hitl.test/task";
/// Its mail address.
pub const CLIENT_EMAIL_NAME: &str = "task@hitl.test";
/// The common name of its subject.
pub const CLIENT_COMMON_NAME: &str = "hitl test client";

/// The directory with the files. See the module.
#[derive(Clone, Debug)]
pub struct Certificates {
    directory: PathBuf,
}

/// One who signs certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Certificates {
    /// Makes all files in `directory`, which is made too if it is not there. What was there of these names is replaced.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn make(directory: &Path) -> Result<Self> {
        create_dir_all(directory)?;
        let made = Self { directory: directory.to_owned() };
        let (ours, strangers) = (Authority::new("hitl test CA")?, Authority::new("stranger CA")?);
        made.write("ca.pem", &ours.pem)?;
        made.write("ca.key", &ours.issuer.key().serialize_pem())?;
        made.write("stranger-ca.pem", &strangers.pem)?;
        made.write_pair("server", &ours, &server(&SERVER_NAMES)?)?;
        made.write_pair("other", &ours, &server(&["other.test"])?)?;
        let mut expired = server(&SERVER_NAMES)?;
        expired.not_before = date_time_ymd(2000, 1, 1);
        expired.not_after = date_time_ymd(2001, 1, 1);
        made.write_pair("expired", &ours, &expired)?;
        made.write_pair("client", &ours, &client()?)?;
        made.write_pair("stranger", &strangers, &client()?)?;
        Ok(made)
    }

    /// The file of this name, such as `ca.pem`, for an argument or a variable.
    ///
    /// # Panics
    /// If the directory has a name that is no text.
    pub fn file(&self, name: &str) -> String {
        self.directory.join(name).into_os_string().into_string().expect("the directory is text")
    }

    /// The file of this name, read.
    ///
    /// # Errors
    /// If there is none.
    pub fn pem(&self, name: &str) -> Result<String> {
        Ok(std::fs::read_to_string(self.directory.join(name))?)
    }

    /// The arguments of a server with the certificate of this name, such as `server`.
    pub fn server_args(&self, name: &str) -> [String; 4] {
        let [certificate, key] =
            ["pem", "key"].map(|ending| self.file(&format!("{name}.{ending}")));
        ["--tls-cert".to_owned(), certificate, "--tls-key".to_owned(), key]
    }

    fn write_pair(&self, name: &str, by: &Authority, params: &CertificateParams) -> Result<()> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &by.issuer)?;
        self.write(&format!("{name}.pem"), &certificate.pem())?;
        self.write(&format!("{name}.key"), &key.serialize_pem())
    }

    /// For this user alone, since most of the files are keys.
    fn write(&self, name: &str, text: &str) -> Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        Ok(options.open(self.directory.join(name))?.write_all(text.as_bytes())?)
    }
}

impl Authority {
    fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }
}

fn server(names: &[&str]) -> Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "hitl test server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn client() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(vec![CLIENT_DNS_NAME.to_owned()])?;
    params.subject_alt_names.push(SanType::URI(Ia5String::try_from(CLIENT_URI_NAME)?));
    params.subject_alt_names.push(SanType::Rfc822Name(Ia5String::try_from(CLIENT_EMAIL_NAME)?));
    params.distinguished_name.push(DnType::CommonName, CLIENT_COMMON_NAME);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
