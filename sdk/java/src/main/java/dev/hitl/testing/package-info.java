/**
 * For the tests of programs that ask: a throw-away server, and a person who does as a test says.
 *
 * <pre>{@code
 * try (TestServer server = TestServer.start()) {
 *     server.human().answer("approve", true);
 *     // what asks by server.client() goes on with true
 *     server.human().check();
 * }
 * }</pre>
 *
 * <p>The time of such a server passes when it is told to, so no test waits for a deadline.
 */
package dev.hitl.testing;
