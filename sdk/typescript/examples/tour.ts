/**
 * What tasks do with questions, one after the other: `node tour.js nightly-42`.
 *
 * Kill it where you like and start it again with the same run id: it goes on. While it shares a question at its end, the same
 * with `attach` behind it waits for that question too.
 */

import { bool, Client, HitlError, int, object, str, type Run } from "hitl-sdk";

/** What the form asks for. */
interface Expense {
  amount: number;
  purpose: string;
  category: "travel" | "meals";
}

/** What it refuses. */
const EXPENSE = {
  type: "object",
  properties: {
    amount: { type: "integer", minimum: 1, maximum: 500 },
    purpose: { type: "string", minLength: 3 },
    category: { type: "string", enum: ["travel", "meals"] },
  },
  required: ["amount", "purpose", "category"],
};

const runId = process.argv[2] ?? "example-tour";

async function main(): Promise<void> {
  const client = new Client({ runId });

  // An approval, with what the decision rests on.
  const deploy = await client
    .event("deploy", "Deploy 2.4 to production?", bool())
    .title("Deploy 2.4?")
    .risk("high")
    .fact("Version", "2.4")
    .create();
  say("deploy", yesNo(await deploy.wait()));

  // A form with fields. What does not fit is refused by the server, and asked for again.
  const form = await client.event("expense", "What was paid?", object<Expense>(EXPENSE, { safe: true })).create();
  const { amount, purpose, category } = await form.wait();
  say("expense", `${amount} for ${purpose} (${category})`);

  // A loop asks each time it comes round.
  let total = 0n;
  for (const item of [1, 2, 3]) {
    const event = await client.event("item", `How many of item ${item}?`, int({ min: 0n })).create();
    total += await event.wait();
  }
  say("loop", total);

  say("many", await many(client, 200));

  // A question that is withdrawn.
  const obsolete = await client.event("obsolete", "Is it still needed?", bool()).create();
  await obsolete.cancel("nobody needs it any more");
  try {
    await obsolete.wait();
  } catch (error) {
    if (!(error instanceof HitlError && error.kind === "Cancelled")) throw error;
    say("cancel", error.response?.reason);
  }

  // A question that nobody answers in time.
  const silence = await client
    .event("silence", "Is anybody there?", bool())
    .timeout(1_000)
    .defaultOnTimeout(false)
    .create();
  say("silence", yesNo(await silence.wait()));

  // Killed here and started again, it meets the answer that was given meanwhile.
  const crash = await client.event("crash", "How many?", int()).create();
  say("crash", "waits");
  say("crash", await crash.wait());

  // A step that is tried again in this process meets the question of its first attempt.
  const first = await attempt(client.run(`${runId}-step`));
  const second = await attempt(client.run(`${runId}-step`));
  say("retry", `${second.answer} after 2 attempts, asked ${first.id === second.id ? "once" : "twice"}`);

  const shared = await client.event("shared", "What do you say?", str()).create();
  say("shared", "waits");
  say("shared", await shared.wait());
  client.close();
}

/** So many at once, whose waits share one stream. */
async function many(client: Client, count: number): Promise<bigint> {
  const answers = [];
  for (let asked = 0; asked < count; asked += 1) {
    const event = await client.event("many", "How many?", int()).create();
    answers.push(event.wait());
  }
  return (await Promise.all(answers)).reduce((sum, answer) => sum + answer, 0n);
}

async function attempt(run: Run): Promise<{ id: string; answer: bigint }> {
  const event = await run.event("retry", "How many more?", int()).create();
  return { id: event.id, answer: await event.wait() };
}

/** Another process, which waits for the question of the first. */
async function attach(): Promise<void> {
  const client = new Client();
  const event = await client.run(runId).attach("shared", str());
  say("attached", "waits");
  say("attached", await event.wait());
  client.close();
}

function say(what: string, how: string | bigint | undefined): void {
  console.log(`${what}: ${how}`);
}

function yesNo(answer: boolean): string {
  return answer ? "yes" : "no";
}

await (process.argv[3] === "attach" ? attach() : main());
