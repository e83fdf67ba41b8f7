#!/usr/bin/env node
// Runs the program that came along for this platform.
import { spawnSync } from "node:child_process";
import { packagedProgram } from "../dist/program.js";

const program = packagedProgram();
if (program === undefined) {
  console.error(`hitl: there is no package with the program for ${process.platform} on ${process.arch}: install it otherwise`);
  process.exit(1);
}
const { status, signal, error } = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (error) throw error;
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);
