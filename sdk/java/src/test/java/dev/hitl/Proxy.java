package dev.hitl;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Stands between clients and a server, and can kill the connections that stand without a word. */
final class Proxy implements AutoCloseable {
    private static final class Connection {
        final Socket client;
        final Socket server;
        volatile boolean dead;

        Connection(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void pump(Socket from, Socket to) {
            try (from; to) {
                to.setTcpNoDelay(true);
                InputStream input = from.getInputStream();
                byte[] bytes = new byte[1 << 16];
                for (int length = input.read(bytes); length >= 0; length = input.read(bytes)) {
                    if (!dead) {
                        to.getOutputStream().write(bytes, 0, length);
                    }
                }
            } catch (IOException closed) {
                // So is the other end, by now.
            }
        }
    }

    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<Connection> connections = new CopyOnWriteArrayList<>();

    Proxy(String server) throws IOException {
        URI uri = URI.create(server);
        start(() -> accept(uri));
    }

    String endpoint() {
        return "http://127.0.0.1:" + listener.getLocalPort();
    }

    /** How many connections there have been. */
    int connections() {
        return connections.size();
    }

    /** Lets what is written to the connections of now get lost. */
    void kill() {
        connections.forEach(connection -> connection.dead = true);
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }

    private void accept(URI server) {
        try {
            while (true) {
                Socket client = listener.accept();
                Connection connection = new Connection(client, new Socket(server.getHost(), server.getPort()));
                connections.add(connection);
                start(() -> connection.pump(client, connection.server));
                start(() -> connection.pump(connection.server, client));
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "proxy");
        thread.setDaemon(true);
        thread.start();
    }
}
