import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { inspect } from "node:util";
import { Code } from "@connectrpc/connect";
import { Client } from "../src/client.js";
import { type Config, resolve } from "../src/config.js";
import { EventState } from "../src/v1.js";
import { refusal } from "./scripted.js";
import { served } from "./served.js";

const ended = () => ({ id: "e", state: EventState.ANSWERED });

test("a token comes with every call and stream", async (t) => {
  const { endpoint, credentials } = await served(t, { wait: ended });
  const client = new Client({ endpoint, token: " hitl_a\n" });
  await client.get("e");
  await client.waitEvent("e");
  assert.deepEqual(credentials, ["Bearer hitl_a", "Bearer hitl_a"]);
  client.close();
});

test("a function is asked for each call, and again when it fails", async (t) => {
  const { endpoint, credentials } = await served(t, {});
  const answers = ["hitl_a", new Error("no network"), "hitl_b", ""];
  const client = new Client({
    endpoint,
    token: () => {
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? "");
    },
  });
  for (let i = 0; i < 3; i += 1) await client.get("e");
  assert.deepEqual(credentials, ["Bearer hitl_a", "Bearer hitl_b", ""]);
  client.close();

  const failing = new Client({ endpoint, retryFor: 0, token: () => { throw new Error("no network"); } });
  const message = "the token cannot be had: no network";
  await assert.rejects(failing.get("e"), { kind: "Unavailable", retryable: true, message });
});

test("a function is asked for another token when one is refused", async (t) => {
  const get = (id: string) => {
    if (credentials.at(-1) !== "Bearer new") throw refusal(Code.Unauthenticated, "ERROR_REASON_UNAUTHENTICATED");
    return { id };
  };
  const { endpoint, credentials } = await served(t, { get });
  const tokens = ["old", "new", "spent", "spent"];
  const client = new Client({ endpoint, token: () => tokens.shift() ?? "" });
  await client.get("e");
  await assert.rejects(client.get("e"), { kind: "Unauthenticated", retryable: false });
  assert.deepEqual(credentials, ["old", "new", "spent", "spent"].map((token) => `Bearer ${token}`));
  await assert.rejects(new Client({ endpoint, token: "fixed" }).get("e"), { kind: "Unauthenticated" });
  assert.equal(credentials.length, 5);
  client.close();
});

test("the environment has the token of its server, and not of the local one", async () => {
  const env = { HITL_ENDPOINT: "127.0.0.1:1", HITL_TOKEN: "hitl_env" };
  const token = (config: Config, env: NodeJS.ProcessEnv) => resolve(config, env).credential.current();
  assert.equal(await token({}, env), "hitl_env");
  assert.equal(await token({ token: "hitl_code" }, env), "hitl_code");
  assert.equal(await token({}, { HITL_TOKEN: "hitl_env" }), "");
});

test("what no header can have is refused, and not told", async (t) => {
  const { endpoint } = await served(t, {});
  for (const token of ["hitl_secret\u202e", "hitl_ secret", "secret".repeat(1000)]) {
    const told = (error: unknown) => {
      assert.match(String(error), /the token has characters/);
      return !String(error).includes("secret");
    };
    assert.throws(() => new Client({ endpoint, token }), told);
    await assert.rejects(new Client({ endpoint, token: () => token }).get("e"), told);
  }
});

test("a token goes to no other machine in the clear", () => {
  const message = /HITL_INSECURE_TRANSPORT/;
  for (const endpoint of ["http://hitl.example.org", "10.0.0.1:4485", "http://[2001:db8::1]:4485"]) {
    for (const token of ["hitl_a", () => "hitl_a"]) {
      assert.throws(() => new Client({ endpoint, token }), { kind: "Invalid", message });
    }
    resolve({ endpoint, token: "hitl_a", insecure: true }, {});
    resolve({ endpoint, token: "hitl_a" }, { HITL_INSECURE_TRANSPORT: "1" });
  }
  for (const endpoint of ["localhost", "127.3.2.1:1", "[::1]:1", "https://hitl.example.org"]) {
    resolve({ endpoint, token: "hitl_a" }, {});
  }
});

test("nothing that is printed shows a token or a key", () => {
  const config = { endpoint: "https://h", token: "hitl_secret", cert: Buffer.from("secret"), key: Buffer.from("secret") };
  const shown = [new Client(config), resolve(config, {})];
  for (const told of [inspect(shown, { depth: 9 }), JSON.stringify(shown)]) {
    assert.ok(!told.includes("secret") && !told.includes("73 65 63") && !told.includes("115,101"), told);
  }
});

function program(t: TestContext, script: string): string {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
  t.after(() => { fs.rmSync(dir, { recursive: true }); });
  const binary = path.join(dir, "hitl");
  fs.writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return binary;
}

test("a local server says itself what it takes, and is asked again when that has changed", async (t) => {
  const unknown = () => refusal(Code.Unauthenticated, "ERROR_REASON_UNAUTHENTICATED");
  const steps: string[] = ["a", "b", "c"];
  const check = () => {
    const now = credentials.at(-1)?.replace("Bearer ", "");
    if (now !== steps[0]) throw unknown();
  };
  const get = (id: string) => { check(); return { id }; };
  const wait = () => { check(); return ended(); };
  const { endpoint, credentials } = await served(t, { get, wait });
  const binary = program(t, 'cat "$0.said"');
  const client = new Client({ binary });
  for (const call of [() => client.get("e"), () => client.get("e"), () => client.waitEvent("e")]) {
    fs.writeFileSync(`${binary}.said`, JSON.stringify({ endpoint, token: steps[0] }));
    assert.equal((await call()).id, "e");
    steps.shift();
  }
  await assert.rejects(client.get("e"), { kind: "Unauthenticated", retryable: false });
  client.close();
});

test("a server is known by its certificate, and knows the client", async (t) => {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
  t.after(() => { fs.rmSync(dir, { recursive: true }); });
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: dir, stdio: "ignore" });
  const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...fresh, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca");
  fs.writeFileSync(path.join(dir, "names"), "subjectAltName=DNS:localhost");
  for (const name of ["server", "client"]) {
    openssl("req", ...fresh, "-keyout", `${name}.key`, "-out", "csr", "-subj", `/CN=${name}`);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
    openssl("x509", "-req", "-in", "csr", ...by, "-out", `${name}.pem`);
  }
  const at = (name: string) => path.join(dir, name);
  const [ca, cert, key] = ["ca.pem", "server.pem", "server.key"].map((name) => fs.readFileSync(at(name)));
  const { endpoint, credentials } = await served(t, {}, { ca, cert, key, requestCert: true, rejectUnauthorized: true });
  const mine = { cert: at("client.pem"), key: fs.readFileSync(at("client.key")) };
  const client = new Client({ endpoint, ca, ...mine, token: "hitl_a" });
  assert.equal((await client.get("e")).id, "e");
  assert.deepEqual(credentials, ["Bearer hitl_a"]);
  client.close();
  // Nobody is asked again whom the program does not trust.
  const begun = performance.now();
  await assert.rejects(new Client({ endpoint, ...mine }).get("e"), { kind: "Unavailable", message: /certificate/ });
  assert.ok(performance.now() - begun < 5_000);
  await assert.rejects(new Client({ endpoint, ca, retryFor: 0 }).get("e"), { kind: "Unavailable" });
});

test("certificates that can never work are refused when the client is made", () => {
  const c = Buffer.from("c");
  for (const [config, message] of [
    [{ endpoint: "https://h", ca: "/no/such/file" }, /^ca: the file "\/no\/such\/file" cannot be read/],
    [{ endpoint: "https://h", cert: c }, /both cert and key/],
    [{ endpoint: "http://h", ca: c }, /^ca: give an https endpoint/],
    [{ binary: "hitl", ca: c }, /^ca: give an https endpoint, for the local server has no TLS/],
  ] as const) {
    assert.throws(() => new Client(config), { kind: "Invalid", message });
  }
});
