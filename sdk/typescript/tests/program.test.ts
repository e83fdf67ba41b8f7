import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { Local } from "../src/local.js";
import { findProgram, packagedProgram } from "../src/program.js";

function plant(dir: string, script = "exit 1"): string {
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, "hitl"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path.join(dir, "hitl");
}

/** A directory that this program runs in until the test ends. */
function workingDirectory(t: TestContext): string {
  const before = process.cwd();
  const dir = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), "hitl-"));
  t.after(() => {
    process.chdir(before);
    fs.rmSync(dir, { recursive: true });
  });
  fs.mkdirSync(path.join(dir, "work"));
  process.chdir(path.join(dir, "work"));
  return dir;
}

test("a bare name is never found in the working directory", (t) => {
  const dir = workingDirectory(t);
  const installed = plant(path.join(dir, "installed"));
  for (const place of ["", "work", "work/bin", "work/node_modules/.bin"]) plant(path.join(dir, place));
  for (const search of ["", ":", ".", "bin", "./bin", "..", "node_modules/.bin", "/nowhere:", "bin::."]) {
    assert.throws(() => findProgram("hitl", search), /no absolute directory of PATH/);
    assert.equal(findProgram("hitl", `${search}:${path.dirname(installed)}`), installed);
  }
  // What is given as a path is meant as one.
  assert.equal(findProgram("./hitl", ""), path.join(dir, "work/hitl"));
});

test("a planted program is not run", async (t) => {
  const dir = workingDirectory(t);
  plant(path.join(dir, "work"), "touch ran");
  const { PATH } = process.env;
  t.after(() => { process.env.PATH = PATH; });
  process.env.PATH = ":.";
  for (const name of ["hitl", "hi\u202etl"]) {
    const told = ({ message }: Error) => message.includes("install hitl, or set HITL_BIN") && !message.includes("\u202e");
    await assert.rejects(new Local(name).ready(), told);
  }
  assert.ok(!fs.existsSync(path.join(dir, "work/ran")));
});

test("the program that came along is taken unless another is named", (t) => {
  const dir = workingDirectory(t);
  const installed = plant(path.join(dir, "installed"));
  assert.equal(findProgram("hitl", path.dirname(installed), "/along/hitl"), "/along/hitl");
  assert.equal(findProgram(installed, "", "/along/hitl"), installed);
  const none = (): string => {
    throw new Error("not installed");
  };
  assert.equal(packagedProgram(none), undefined);
  assert.match(packagedProgram((name) => `/modules/${name}`) ?? "", /^\/modules\/hitl-sdk-\w+-\w+\/bin\/hitl$/);
});
