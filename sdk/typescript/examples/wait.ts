/**
 * A task that may be killed at any moment: start it again with the same run id and it goes on.
 *
 * `node wait.js nightly-42`
 */

import { choice, Client, HitlError } from "hitl-sdk";

const client = new Client({ runId: process.argv[2] ?? "example-run" });

// The second start meets this same event, and the answer if it was given meanwhile.
const target = choice([
  { value: "staging", label: "Staging" },
  { value: "production", label: "Production" },
]);
const event = await client.event("target", "Where should this go?", target).create();
console.log(`${event.existed ? "asked before" : "asked"}: answer at ${event.formUrl}`);

try {
  console.log(`deploying to ${await event.wait()}`);
} catch (error) {
  if (!(error instanceof HitlError && error.kind === "Declined")) throw error;
  console.log(`not deploying: ${error.message}`);
}
