/** Asks for a number and adds it to x. */

import { Client, int } from "hitl-sdk";

const client = new Client();
const event = await client
  .event("proceed", "What should I add to x?", int({ min: 0n }))
  .timeout(600_000)
  .create();
console.log(`answer at ${event.formUrl}`);

const x = 1n + (await event.wait());
console.log(`x is now ${x}`);
