//! The methods that can be called.

use std::sync::LazyLock;

use hitl_proto::HEALTH_FILE_DESCRIPTOR_SET as HEALTH;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tonic::Status;
use tonic_reflection::pb::{v1, v1alpha};

use crate::json;

/// What is served, with the services that say how the server is and what it serves.
static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut pool = json::descriptors().clone();
    for more in [HEALTH, v1::FILE_DESCRIPTOR_SET, v1alpha::FILE_DESCRIPTOR_SET] {
        pool.decode_file_descriptor_set(more).expect("published descriptors fit together");
    }
    pool
});

/// The method that a call of `path` is for.
///
/// # Errors
/// There is none.
pub(super) fn find(path: &str) -> Result<MethodDescriptor, Status> {
    let found = path.strip_prefix('/').and_then(|path| path.split_once('/')).and_then(
        |(service, method)| {
            let service = POOL.get_service_by_name(service)?;
            service.methods().find(|known| known.name() == method)
        },
    );
    found.ok_or_else(|| Status::unimplemented("there is no such method"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_by_their_path() {
        assert!(!find("/hitl.v1.EventService/GetEvent").unwrap().is_server_streaming());
        assert!(find("/hitl.v1.EventService/WaitEvent").unwrap().is_server_streaming());
        assert!(find("/grpc.health.v1.Health/Check").is_ok());
        assert!(find("/grpc.health.v1.Health/List").is_ok());
        assert!(find("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo").is_ok());
        for unknown in ["", "/", "/hitl.v1.EventService/Nothing", "/a/b/c"] {
            assert_eq!(find(unknown).unwrap_err().code(), tonic::Code::Unimplemented, "{unknown}");
        }
    }
}
