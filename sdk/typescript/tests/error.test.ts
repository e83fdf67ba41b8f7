import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { endedWithoutValue, fromCall, HitlError } from "../src/error.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import * as v1 from "../src/v1.js";
import { refusal } from "./scripted.js";

function read(failure: ConnectError): HitlError {
  const error = fromCall(failure, "http://x");
  assert.ok(error instanceof HitlError);
  return error;
}

test("the server's details are kept", () => {
  const error = read(refusal(Code.FailedPrecondition, "ERROR_REASON_EVENT_ALREADY_FINAL"));
  assert.equal(error.kind, "Conflict");
  assert.equal(error.reason, "ERROR_REASON_EVENT_ALREADY_FINAL");
  assert.equal(error.message, "what happened");
  assert.deepEqual({ ...error.metadata }, { state: "EVENT_STATE_ANSWERED" });
  assert.deepEqual(error.fieldViolations, [{ field: "value", description: "must be at least 0" }]);
  assert.equal(error.retryDelayMs, 3_500);
  assert.equal(error.retryable, false);
});

test("each code has its kind", () => {
  const kinds = new Map([
    [Code.NotFound, "NotFound"], [Code.InvalidArgument, "Invalid"], [Code.OutOfRange, "Invalid"],
    [Code.AlreadyExists, "Conflict"], [Code.FailedPrecondition, "Conflict"],
    [Code.Unauthenticated, "Unauthenticated"], [Code.PermissionDenied, "Denied"],
    [Code.ResourceExhausted, "Exhausted"], [Code.Unavailable, "Unavailable"], [Code.DataLoss, "Internal"],
  ]);
  for (const [code, kind] of kinds) {
    const error = read(refusal(code, "R"));
    assert.equal(error.kind, kind);
    assert.equal(error.retryable, kind === "Exhausted" || kind === "Unavailable");
  }
});

test("a server cannot have anyone wait for ever before the next attempt", () => {
  const delay = { desc: RetryInfoSchema, value: { retryDelay: { seconds: 2n ** 60n } } };
  const info = { desc: ErrorInfoSchema, value: { reason: "R", domain: "hitl.v1" } };
  assert.equal(read(new ConnectError("busy", Code.Unavailable, undefined, [info, delay])).retryDelayMs, 60_000);
});

test("an internal error of the server is not a lost connection", () => {
  assert.equal(read(refusal(Code.Internal, "R")).retryable, false);
  const lost = read(refusal(Code.Internal, "R", "proxy"));
  assert.deepEqual([lost.kind, lost.retryable, lost.reason], ["Unavailable", true, ""]);
});

test("what is not our server's says where it was, and why", () => {
  const cause = new Error("outer", { cause: new Error("connect ECONNREFUSED") });
  const lost = read(new ConnectError("lost", Code.Unavailable, undefined, undefined, cause));
  assert.match(lost.message, /http:\/\/x: connect ECONNREFUSED.*HITL_ENDPOINT/);
  const other = read(new ConnectError("HTTP 404", Code.Unimplemented));
  assert.deepEqual([other.kind, other.retryable], ["Internal", false]);
  assert.match(other.message, /not a hitl server/);
  assert.equal(read(new ConnectError("who?", Code.Unauthenticated)).kind, "Unauthenticated");
});

test("an outcome tells who, when and why", () => {
  const event = create(v1.EventSchema, {
    name: "deploy",
    response: { reason: "not today", time: { seconds: 0n }, responder: { name: "Ada" } },
  });
  const error = endedWithoutValue("Declined", event);
  assert.equal(error.message, '"deploy" was declined by "Ada" (1970-01-01T00:00:00Z): not today');
  assert.equal(error.response?.reason, "not today");
});
