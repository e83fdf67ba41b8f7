/** The messages of the `hitl.v1` API, for untyped use. */

export * from "./gen/hitl/v1/deciding_pb.js";
export * from "./gen/hitl/v1/error_reason_pb.js";
export * from "./gen/hitl/v1/event_pb.js";
export * from "./gen/hitl/v1/event_service_pb.js";
export * from "./gen/hitl/v1/evidence_pb.js";
export * from "./gen/hitl/v1/failure_pb.js";
export * from "./gen/hitl/v1/input_pb.js";
export * from "./gen/hitl/v1/receipt_pb.js";
export * from "./gen/hitl/v1/value_pb.js";
