/**
 * For the tests of programs that ask: a throw-away server, and a person who does as a test says.
 *
 * The time of such a server passes when it is told to, so no test waits for a deadline.
 *
 * @module
 */

export { Human, type HumanOptions } from "./human.js";
export { TestServer, type TestServerOptions } from "./server.js";
