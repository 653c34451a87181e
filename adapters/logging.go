package adapters

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
)

// Logging logs each send when the head of its response has come, or it has failed: method,
// URL, status, duration and error, at level Info, Warn for a status from 400 on, Error
// for a failure; at level Debug the headers of both sides as well. Passwords in URLs,
// secret parameters and secret headers are never logged. A nil logger is
// [slog.Default] at the time of the send.
func Logging(logger *slog.Logger) requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter { return &logged{base, logger} }
}

type logged struct {
	requests.Adapter
	logger *slog.Logger
}

// CloseIdle passes on.
func (l *logged) CloseIdle() { closeIdle(l.Adapter) }

// Send implements [requests.Adapter].
func (l *logged) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	logger := l.logger
	if logger == nil {
		logger = slog.Default()
	}
	start := time.Now()
	r, err := l.Adapter.Send(ctx, p, opts)
	told := false
	defer func() {
		if !told && r != nil { // the logger's handler has panicked
			r.Close()
		}
	}()
	attributes := []slog.Attr{slog.String("method", p.Method), slog.String("url", secret.URL(p.URL)), slog.Duration("duration", time.Since(start))}
	level := slog.LevelInfo
	switch {
	case err != nil:
		level = slog.LevelError
		attributes = append(attributes, slog.String("error", err.Error()))
	case r != nil:
		attributes = append(attributes, slog.Int("status", r.StatusCode))
		if r.StatusCode >= 400 {
			level = slog.LevelWarn
		}
	}
	if logger.Enabled(ctx, slog.LevelDebug) {
		attributes = append(attributes, headerGroup("request", p.Headers))
		if r != nil {
			attributes = append(attributes, headerGroup("response", r.Headers))
		}
	}
	logger.LogAttrs(ctx, level, "request", attributes...)
	told = true
	return r, err
}

// headerGroup lists fields without their secrets.
func headerGroup(name string, h requests.Headers) slog.Attr {
	var fields []slog.Attr
	for field, value := range requests.Headers(secret.Default().Fields(h)).All() {
		fields = append(fields, slog.String(strings.ToLower(field), value))
	}
	return slog.GroupAttrs(name, fields...)
}
