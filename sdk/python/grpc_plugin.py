"""Runs another plugin of protoc, named by the argument, on the files that define a service.

The plugins for gRPC write an empty module for every other file, and `grpc_python` is no program:
it is built into the protoc of grpcio-tools.
"""

import os
import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
services = {file.name for file in request.proto_file if file.service}
files = [name for name in request.file_to_generate if name in services]
response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
with tempfile.TemporaryDirectory() as scratch:
    descriptors, out = Path(scratch, "descriptors"), Path(scratch, "out")
    descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
    out.mkdir()
    # The other plugins of this environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    plugin = f"--{sys.argv[1]}_out={request.parameter}:{out}"
    if files and protoc.main(["protoc", f"--descriptor_set_in={descriptors}", plugin, *files]):
        sys.exit(1)
    for path in sorted(out.rglob("*.py*")):
        response.file.add(name=path.relative_to(out).as_posix(), content=path.read_text("utf-8"))
sys.stdout.buffer.write(response.SerializeToString())
