//! Where the programs are that tests drive. `cargo xtask test` installs and builds them and says so by environment
//! variable; without it each has a place where it usually is, so that plain `cargo test` works once they are there.

use std::env;
use std::path::{Path, PathBuf};

/// The `hitl` binary.
pub fn hitl() -> PathBuf {
    find("HITL_TEST_BIN", &profile_dir().join("hitl"))
}

/// The server over a store with a fault, which a checker must be able to find. Cargo builds it with the tests.
pub fn faulty() -> PathBuf {
    find("HITL_TEST_FAULTY_BIN", &profile_dir().join("faulty"))
}

/// A `hitl` binary of a version before this one, to run beside it.
pub fn hitl_before() -> PathBuf {
    find("HITL_TEST_BEFORE_BIN", &profile_dir().join("../before/hitl"))
}

/// grpcurl: a gRPC client that knows the API by reflection only.
pub fn grpcurl() -> PathBuf {
    find("HITL_TEST_GRPCURL", &profile_dir().join("../tools/bin/grpcurl"))
}

/// buf: a client of Connect that knows the API by reflection.
pub fn buf() -> PathBuf {
    find("HITL_TEST_BUF", &npm_program("buf"))
}

/// grpc-health-probe: asks for the health of a server, as Kubernetes does.
pub fn grpc_health_probe() -> PathBuf {
    find("HITL_TEST_GRPC_HEALTH_PROBE", &profile_dir().join("../tools/bin/grpc-health-probe"))
}

/// ghz: as many calls of gRPC as one wants.
pub fn ghz() -> PathBuf {
    find("HITL_TEST_GHZ", &profile_dir().join("../tools/bin/ghz"))
}

/// The compiler of protos for Ruby, beside a Ruby that has the library of gRPC.
pub fn grpc_tools_ruby_protoc() -> PathBuf {
    find("HITL_TEST_RUBY", Path::new("/usr/bin/grpc_tools_ruby_protoc"))
}

/// Holds manifests against the schemas of Kubernetes, which it brings along.
pub fn kubernetes_validate() -> PathBuf {
    let usual = "../tools/kubernetes-validate/bin/kubernetes-validate";
    find("HITL_TEST_KUBERNETES_VALIDATE", &profile_dir().join(usual))
}

/// schemathesis: tries what an OpenAPI document promises.
pub fn schemathesis() -> PathBuf {
    let usual = "../tools/schemathesis/bin/schemathesis";
    find("HITL_TEST_SCHEMATHESIS", &profile_dir().join(usual))
}

/// slowhttptest: connections that send and read slowly.
pub fn slowhttptest() -> PathBuf {
    find("HITL_TEST_SLOWHTTPTEST", Path::new("/usr/bin/slowhttptest"))
}

/// h2load: as many calls as HTTP/2 takes.
pub fn h2load() -> PathBuf {
    find("HITL_TEST_H2LOAD", Path::new("/usr/bin/h2load"))
}

/// A Python that has the reference client of MCP.
pub fn mcp_python() -> PathBuf {
    let program = find("HITL_TEST_MCP", &profile_dir().join("../tools/mcp/bin/mcp"));
    program.with_file_name("python")
}

/// A Python that has the reference verifier of Standard Webhooks.
pub fn webhooks_python() -> PathBuf {
    find("HITL_TEST_WEBHOOKS", &profile_dir().join("../tools/standardwebhooks/bin/python"))
}

/// A Python that has a library of an SMTP server.
pub fn smtp_python() -> PathBuf {
    let program = find("HITL_TEST_AIOSMTPD", &profile_dir().join("../tools/aiosmtpd/bin/aiosmtpd"));
    program.with_file_name("python")
}

/// The browser.
pub fn chromium() -> PathBuf {
    find("HITL_TEST_CHROMIUM", Path::new("/usr/bin/chromium"))
}

/// ministack: an S3 store that is quick to start.
pub fn ministack() -> PathBuf {
    find("HITL_TEST_MINISTACK", &profile_dir().join("../tools/ministack/bin/ministack"))
}

/// SeaweedFS: an S3 store on disk.
pub fn weed() -> PathBuf {
    find("HITL_TEST_WEED", &profile_dir().join("../tools/weed/bin/weed"))
}

/// Azurite: Azure's emulator of its store.
pub fn azurite() -> PathBuf {
    find("HITL_TEST_AZURITE", &npm_program("azurite-blob"))
}

/// s3rver: an S3 store that ignores conditions.
pub fn s3rver() -> PathBuf {
    find("HITL_TEST_S3RVER", &npm_program("s3rver"))
}

/// fauxqs: another one that does.
pub fn fauxqs() -> PathBuf {
    find("HITL_TEST_FAUXQS", &npm_program("fauxqs"))
}

/// QEMU, which emulates a whole machine.
pub fn qemu() -> PathBuf {
    find("HITL_TEST_QEMU", Path::new("/usr/bin/qemu-system-x86_64"))
}

/// Makes file systems.
pub fn mke2fs() -> PathBuf {
    find("HITL_TEST_MKE2FS", Path::new("/usr/sbin/mke2fs"))
}

/// A shell, with all that goes with it in one program that needs no library.
pub fn busybox() -> PathBuf {
    find("HITL_TEST_BUSYBOX", &profile_dir().join("../tools/busybox-static/bin/busybox"))
}

/// The directory with the kernel of virtual machines and its modules, as they are below `/` when it is installed.
pub fn guest_kernel() -> PathBuf {
    let usual = profile_dir().join("../tools/linux-image-cloud-amd64");
    choose("HITL_TEST_GUEST_KERNEL", &usual, Path::is_dir)
}

fn npm_program(name: &str) -> PathBuf {
    profile_dir().join("../tools").join(name).join("node_modules/.bin").join(name)
}

fn find(variable: &str, usual: &Path) -> PathBuf {
    choose(variable, usual, Path::is_file)
}

fn choose(variable: &str, usual: &Path, is_there: fn(&Path) -> bool) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| usual.to_path_buf(), PathBuf::from);
    assert!(
        is_there(&path),
        "{} does not exist: run through `cargo xtask test`, or set {variable}",
        path.display()
    );
    path
}

/// Where cargo put the binaries of this build, such as `target/debug`. Tests run one level further down.
fn profile_dir() -> PathBuf {
    let program = env::current_exe().expect("a running program has a path");
    let dir = program.parent().expect("a program is in a directory");
    if dir.ends_with("deps") { dir.join("..") } else { dir.to_path_buf() }
}
