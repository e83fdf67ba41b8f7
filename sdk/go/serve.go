package hitl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// How long a server may take until it serves, with its store opened.
	startLimit   = 10 * time.Second
	pollInterval = 20 * time.Millisecond
	// How long to listen for what is there to say what it is.
	probeLimit = time.Second
	// How the reply of a server that lives begins and ends, and more than it is long.
	aliveHead     = "HTTP/1.1 200 "
	aliveBody     = "\r\n\r\nalive\n"
	maxReplyBytes = 4096
	// Between two starts: the port or the store may be in the hands of a server that is about to
	// listen, or about to end.
	restartInterval = time.Second
	// A log grown beyond this is put aside when a server starts, so that two of them are the most.
	maxLogBytes  = 8 << 20
	logTailLines = 8
)

// launcher connects to a local server, and starts it if nothing listens.
//
// Many programs may do so at once. Each starts a server and all but one of those find the port or the
// store taken and exit, so a server that exits is no failure as long as the port answers soon.
type launcher struct {
	address, binary, dataDir string
	limit                    time.Duration
}

func (l *launcher) connect(ctx context.Context) (net.Conn, error) {
	err := l.probe(ctx)
	if errors.Is(err, syscall.ECONNREFUSED) {
		err = l.start(ctx)
	}
	var ours *Error
	if errors.As(err, &ours) {
		return nil, err
	}
	// What listens and has not replied may be a server that is busy: the call will tell.
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", l.address)
}

// start starts a server, again if it ends, until one of whatever program serves.
func (l *launcher) start(ctx context.Context) error {
	log, err := l.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	size, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return l.unusable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	var started time.Time
	var ended <-chan struct{}
	for {
		if started.IsZero() || isClosed(ended) && time.Since(started) > restartInterval {
			started = time.Now()
			if ended, err = l.spawn(log); err != nil {
				return err
			}
		}
		var ours *Error
		if err := l.probe(ctx); err == nil || errors.As(err, &ours) {
			return err
		}
		if sleep(ctx, pollInterval) != nil {
			return noServer("`hitl serve` did not start on %s within %.0f s. Its log, %s, ends:\n%s",
				l.address, l.limit.Seconds(), log.Name(), tail(log, size))
		}
	}
}

// probe is nil if hitl replies, one of our errors if something else does, and any other error if nothing
// has: one that listens may yet fail to open its store.
func (l *launcher) probe(ctx context.Context) error {
	dialer := net.Dialer{Timeout: probeLimit}
	conn, err := dialer.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(probeLimit))
	_, _ = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n\r\n", l.address)
	head := make([]byte, len(aliveHead))
	length, err := io.ReadFull(conn, head)
	if length == 0 {
		return err
	}
	if string(head) == aliveHead {
		rest, _ := io.ReadAll(io.LimitReader(conn, maxReplyBytes))
		if strings.HasSuffix(string(rest), aliveBody) {
			return nil
		}
	}
	return noServer("something that is not hitl listens on %s: set HITL_PORT to another port, or "+
		"HITL_ENDPOINT to a server", l.address)
}

// spawn starts a server that outlives this program: not in its process group, lest Ctrl-C end both,
// nor in its directory, nor with its terminal. The channel is closed when the server ends.
func (l *launcher) spawn(log *os.File) (<-chan struct{}, error) {
	binary, err := findProgram(l.binary, os.Getenv("PATH"))
	command := exec.Command(binary, "serve", "--idle-exit", "10m", "--listen", l.address)
	command.Dir = filepath.Dir(log.Name())
	command.Env = append(os.Environ(), "HITL_DATA_DIR="+command.Dir)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = detached
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return nil, noServer("no server runs on %s and `%s` cannot be started (%v): install hitl, or set "+
			"HITL_BIN to the program, or HITL_ENDPOINT to a server that runs elsewhere", l.address, l.binary, err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	return ended, nil
}

func (l *launcher) openLog() (*os.File, error) {
	if l.dataDir == "" {
		return nil, noServer("nowhere to keep the local server's data: set HITL_DATA_DIR, or HITL_ENDPOINT " +
			"to use a server that runs elsewhere")
	}
	// The server runs in this directory, so a relative path would lead astray there.
	dir, err := filepath.Abs(l.dataDir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, l.unusable(err)
	}
	path := filepath.Join(dir, "serve.log")
	if info, err := os.Stat(path); err == nil && info.Size() > maxLogBytes {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, l.unusable(err)
		}
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, l.unusable(err)
	}
	return log, nil
}

func (l *launcher) unusable(err error) error {
	return noServer("%v. The local server needs it: make it writable, or set HITL_DATA_DIR", err)
}

// tail returns the last lines of the log that were written beyond start.
func tail(log *os.File, start int64) string {
	text, _ := io.ReadAll(io.NewSectionReader(log, start, maxLogBytes))
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-logTailLines):], "\n")
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// noServer is an error that repeating the call would not mend.
func noServer(format string, values ...any) error {
	return newError(Unavailable, fmt.Sprintf(format, values...))
}
