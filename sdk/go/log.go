package hitl

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// logger is what tells what the client does: the program's, else lines on stderr if HITL_LOG has a level.
func logger(given *slog.Logger, level string, stderr io.Writer) *slog.Logger {
	if given != nil {
		return given
	}
	var least slog.Level
	switch level {
	case "debug", "info", "warn", "error":
		_ = least.UnmarshalText([]byte(level)) // It knows all of these.
	default:
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(lineHandler{stderr, least})
}

// lineHandler writes a line for each message, which is all that ours have.
type lineHandler struct {
	stderr io.Writer
	least  slog.Level
}

func (h lineHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

func (h lineHandler) Handle(_ context.Context, record slog.Record) error {
	_, err := fmt.Fprintf(h.stderr, "hitl %s: %s\n", strings.ToLower(record.Level.String()), record.Message)
	return err
}

func (h lineHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h lineHandler) WithGroup(string) slog.Handler { return h }

// logAgain tells that a call is made again.
func (c *Client) logAgain(attempt int, delay time.Duration, why *Error) {
	message := "calls again in %.1f s (attempt %d): %s"
	c.settings.log.Warn(fmt.Sprintf(message, delay.Seconds(), attempt, oneLine(why.Message)))
}

// logWaits tells that the server is asked for what is waited for.
func (c *Client) logWaits() {
	if count := c.waits.count(); count > 0 {
		c.settings.log.Info(fmt.Sprintf("waits for %d events at %s", count, c.server()))
	}
}

// logLost tells that the server is gone which was to tell of ends.
func (c *Client) logLost(delay time.Duration, why *Error) {
	if count := c.waits.count(); count > 0 {
		message := "lost the server at %s while %d events are waited for, tries again in %.1f s: %s"
		lost := fmt.Sprintf(message, c.server(), count, delay.Seconds(), oneLine(why.Message))
		c.settings.log.Warn(lost)
	}
}
