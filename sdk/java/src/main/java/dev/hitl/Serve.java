package dev.hitl;

import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A local server when there is none: before each connect, if nothing listens, {@code hitl serve} is
 * started.
 *
 * <p>Many programs may do so at once. Each starts a server and all but one of those find the port or the
 * store taken and exit, so a server that exits is no failure as long as the port answers soon.
 */
final class Serve {
    /** How long a server may take until it serves, with its store opened. */
    static final Duration START_LIMIT = Duration.ofSeconds(10);

    private static final int POLL_INTERVAL_MS = 20;
    /**
     * Between two starts: the port or the store may be in the hands of a server that is about to listen,
     * or about to end.
     */
    private static final Duration RESTART_INTERVAL = Duration.ofSeconds(1);
    /** A log grown beyond this is put aside when a server starts, so that two of them are the most. */
    private static final long LOG_BYTES_MAX = 8 << 20;

    private static final int LOG_TAIL_LINES = 8;
    /** How long to listen for what is there to say what it is. */
    private static final int PROBE_LIMIT_MS = 1_000;
    /** How the reply of a server that lives begins and ends, and more than it is long. */
    private static final String ALIVE_HEAD = "HTTP/1.1 200 ";

    private static final String ALIVE_BODY = "\r\n\r\nalive\n";
    private static final int REPLY_BYTES_MAX = 4096;

    private final InetSocketAddress address;
    private final Path binary;
    private final Path dataDir;
    private final Duration startLimit;
    /** The check under way, or the last one. */
    private CompletableFuture<Void> check = CompletableFuture.completedFuture(null);

    Serve(InetSocketAddress address, Path binary, Path dataDir, Duration startLimit) {
        this.address = address;
        this.binary = binary;
        this.dataDir = dataDir;
        this.startLimit = startLimit;
    }

    InetSocketAddress address() {
        return address;
    }

    Path binary() {
        return binary;
    }

    Path dataDir() {
        return dataDir;
    }

    /**
     * Ends once a server listens, started if need be. All who ask meanwhile share the check under way, so
     * that the calls of a client start one server, and none while nothing is called.
     */
    synchronized CompletableFuture<Void> ensure() {
        if (check.isDone()) {
            check = CompletableFuture.runAsync(this::check, Serve::onThread);
        }
        return check;
    }

    private static void onThread(Runnable task) {
        Thread thread = new Thread(task, "hitl-serve");
        thread.setDaemon(true);
        thread.start();
    }

    private void check() {
        try {
            probe();
        } catch (ConnectException refused) {
            startUntilServing();
        } catch (IOException silent) {
            // What listens and has not replied may be a server that is busy: the call will tell.
        }
    }

    /** Starts a server, again if it ends, until one of whatever program serves. */
    private void startUntilServing() {
        Path dir = usableDataDir();
        Path log = dir.resolve("serve.log");
        long logStart = logStart(log);
        long begun = System.nanoTime();
        long started = begun;
        Process server = start(dir, log);
        while (!serves()) {
            if (System.nanoTime() - begun > startLimit.toNanos()) {
                String message = "`hitl serve` did not start on %s within %d s. Its log, %s, ends:\n%s";
                throw HitlException.noServer(
                        message.formatted(name(), startLimit.toSeconds(), log, tail(log, logStart)), null);
            }
            pause();
            if (!server.isAlive() && System.nanoTime() - started > RESTART_INTERVAL.toNanos()) {
                started = System.nanoTime();
                server = start(dir, log);
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(POLL_INTERVAL_MS);
        } catch (InterruptedException interrupted) {
            // The thread is our own, and nobody interrupts it.
            throw new AssertionError(interrupted);
        }
    }

    private boolean serves() {
        try {
            probe();
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    /**
     * Asks what listens whether it is hitl. It is an {@link IOException} if nothing replies: one that
     * listens may yet fail to open its store.
     */
    private void probe() throws IOException {
        String head;
        String rest;
        try (Socket socket = dial()) {
            String request = "GET /healthz HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n\r\n";
            byte[] asked = request.formatted(name()).getBytes(StandardCharsets.US_ASCII);
            socket.getOutputStream().write(asked);
            InputStream reply = socket.getInputStream();
            head = new String(reply.readNBytes(ALIVE_HEAD.length()), StandardCharsets.US_ASCII);
            int more = head.equals(ALIVE_HEAD) ? REPLY_BYTES_MAX : 0;
            rest = new String(reply.readNBytes(more), StandardCharsets.US_ASCII);
        }
        if (head.isEmpty()) {
            throw new EOFException();
        }
        if (!rest.endsWith(ALIVE_BODY)) {
            String message =
                    "something that is not hitl listens on %s: set HITL_PORT to another port, or "
                            + "HITL_ENDPOINT to a server";
            throw HitlException.noServer(message.formatted(name()), null);
        }
    }

    private Socket dial() throws IOException {
        Socket socket = new Socket();
        try {
            socket.setSoTimeout(PROBE_LIMIT_MS);
            socket.connect(address, PROBE_LIMIT_MS);
            return socket;
        } catch (IOException refused) {
            socket.close();
            throw refused;
        }
    }

    private String name() {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }

    private Path usableDataDir() {
        if (dataDir == null) {
            throw HitlException.noServer(
                    "nowhere to keep the local server's data: set HITL_DATA_DIR, or HITL_ENDPOINT to use a "
                            + "server that runs elsewhere",
                    null);
        }
        // The server runs in this directory, so a relative path would lead astray there.
        Path dir = dataDir.toAbsolutePath();
        try {
            return Files.createDirectories(dir);
        } catch (IOException error) {
            throw unusable(dir, error);
        }
    }

    /** How long the log is before a server writes there, put aside if that is too long. */
    private static long logStart(Path log) {
        try {
            if (Files.exists(log) && Files.size(log) > LOG_BYTES_MAX) {
                Path aside = log.resolveSibling("serve.log.1");
                Files.move(log, aside, StandardCopyOption.REPLACE_EXISTING);
            }
            return Files.exists(log) ? Files.size(log) : 0;
        } catch (IOException error) {
            throw unusable(log, error);
        }
    }

    /**
     * Starts a server that outlives this program: not in its process group, lest Ctrl-C end both, nor in
     * its directory, nor with its terminal. Java cannot leave the group, so {@code setsid} does, where the
     * system has it.
     */
    private Process start(Path dir, Path log) {
        List<String> command = new ArrayList<>();
        String path = System.getenv("PATH");
        Path setsid = Programs.find(Path.of("setsid"), path);
        if (setsid != null) {
            command.add(setsid.toString());
        }
        try {
            Path program = Programs.find(binary, path);
            if (program == null) {
                throw new IOException("no such program");
            }
            command.add(program.toString());
            command.addAll(List.of("serve", "--idle-exit", "10m", "--listen", name()));
            ProcessBuilder server = new ProcessBuilder(command).directory(dir.toFile());
            server.environment().put("HITL_DATA_DIR", dir.toString());
            return server.redirectInput(new File("/dev/null"))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
        } catch (IOException error) {
            String message =
                    "no server runs on %s and `%s` cannot be started (%s): install hitl, or set HITL_BIN to "
                            + "the program, or HITL_ENDPOINT to a server that runs elsewhere";
            throw HitlException.noServer(message.formatted(name(), binary, error.getMessage()), error);
        }
    }

    /** The last lines written since the server was started. */
    private static String tail(Path log, long start) {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            file.seek(start);
            byte[] bytes = new byte[(int) Math.min(file.length() - start, LOG_BYTES_MAX)];
            file.readFully(bytes);
            List<String> lines = new String(bytes, StandardCharsets.UTF_8).lines().toList();
            int first = Math.max(0, lines.size() - LOG_TAIL_LINES);
            return String.join("\n", lines.subList(first, lines.size()));
        } catch (IOException unreadable) {
            return "";
        }
    }

    private static HitlException unusable(Path path, IOException error) {
        String message =
                "%s: %s. The local server needs it: make it writable, or set HITL_DATA_DIR";
        return HitlException.noServer(message.formatted(path, error.getMessage()), error);
    }
}
