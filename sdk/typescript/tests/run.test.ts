import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../src/client.js";
import { eventId, keyOfRun } from "../src/key.js";
import { int } from "../src/value.js";
import { scripted } from "./scripted.js";
import { served } from "./served.js";

const [FIRST, SECOND] = [1, 2].map((n) => keyOfRun("job-9", "step", n));

const asks = async (of: Pick<Client, "event">, prompt = "?") => (await of.event("step", prompt, int()).create()).id;

test("each run of an id counts from the beginning", async () => {
  const { client } = scripted([]);
  for (let i = 0; i < 2; i += 1) {
    const run = client.run("job-9");
    assert.deepEqual([await asks(run), await asks(run)], [FIRST, SECOND]);
  }
});

test("a retry within a run meets the same events, and no other does", async () => {
  const { client } = scripted([]);
  const run = client.run("job-9");
  for (let i = 0; i < 2; i += 1) {
    await run.within(async () => {
      assert.equal(await asks(client), FIRST);
      // An attempt within an attempt is one of its own.
      await client.run("job-9").within(async () => { assert.equal(await asks(client), FIRST); });
      assert.equal((await client.create({ name: "step" })).event?.id, SECOND);
    });
  }
  assert.ok(![FIRST, SECOND].includes(await asks(client)));
});

test("runs at a time do not mix", async () => {
  const { client } = scripted([]);
  const attempt = (id: string) => client.run(id).within(async () => [await asks(client), await asks(client)]);
  const [ours, others] = await Promise.all([attempt("job-9"), attempt("other")]);
  assert.deepEqual(ours, [FIRST, SECOND]);
  assert.equal(others.filter((id) => ours.includes(id)).length, 0);
});

test("a create that failed gives its number back", async () => {
  const { client } = scripted([]);
  const run = client.run("job-9");
  await assert.rejects(asks(run, "refuse"), { kind: "Invalid" });
  assert.equal(await asks(run), FIRST);
});

test("the run of the client counts for the process as ever, but within another", async () => {
  const { client } = scripted([], { runId: "whole" });
  assert.deepEqual([await asks(client), await asks(client)], [1, 2].map((n) => keyOfRun("whole", "step", n)));
  assert.equal(await client.run("job-9").within(() => asks(client)), FIRST);
});

test("an id that none can be is refused", () => {
  const { client } = scripted([]);
  for (const id of ["", "\ud800"]) assert.throws(() => client.run(id), { kind: "Invalid", message: /run/ });
});

test("an event of a run is asked for by its name and place", async (t) => {
  const asked: string[] = [];
  const get = (id: string) => { asked.push(id); return { id, input: { kind: { case: "int", value: {} } } } as const; };
  const { endpoint } = await served(t, { get });
  const run = new Client({ endpoint }).run("job-9");
  await run.attach("step", int(), 2);
  assert.deepEqual(asked, [eventId("default", SECOND ?? "")]);
  await assert.rejects(run.attach("step", int(), 0), { kind: "Invalid", message: /counted from 1/ });
});
