/** What the package says of what it does, to whom wants to hear it. It never gets links or tokens. */

import { lines } from "./shown.js";

/** Takes lines of a log: `console` is one, and so are most loggers. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** A logger that prints what is of that level or above to stderr. What is no level prints nothing. */
export function printing(level: string | undefined): Logger {
  const from = LEVELS.findIndex((name) => name === level?.toLowerCase());
  const at = (place: number) => (message: string) => {
    if (from < 0 || place < from) return;
    process.stderr.write(`hitl ${LEVELS[place] ?? ""}: ${lines(message)}\n`);
  };
  return { debug: at(0), info: at(1), warn: at(2), error: at(3) };
}
