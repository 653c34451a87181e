package otel

import (
	"context"
	"errors"
	"net/http/httptrace"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/mountable/requests"
)

// watch notes when each attempt begins: that is when it asks for a connection.
func (s *sent) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tries = append(s.tries, time.Now())
	}})
}

// historyOf returns the attempts of an error whose retries are used up.
func historyOf(err error) []requests.Attempt {
	if e, ok := errors.AsType[*requests.MaxRetryError](err); ok && len(e.History) > 0 {
		return e.History[:len(e.History)-1]
	}
	return nil
}

// attempts makes spans of the attempts, of which those in failed came to nothing, if there
// were several. The last one came to err, or to the response.
func (s *sent) attempts(failed []requests.Attempt, err error) {
	s.mu.Lock()
	tries := s.tries
	s.mu.Unlock()
	if len(tries) < 2 {
		return
	}
	s.span.SetAttributes(attribute.Int("http.request.resend_count", len(tries)-1))
	if len(tries) != len(failed)+1 { // a kept connection was found closed and replaced, which nobody counts
		failed = nil
	}
	for i, began := range tries {
		ended := time.Now()
		if i+1 < len(tries) {
			ended = tries[i+1]
		}
		_, span := s.adapter.tracer.Start(s.ctx, "attempt "+strconv.Itoa(i+1), trace.WithTimestamp(began))
		if i > 0 {
			span.SetAttributes(attribute.Int("http.request.resend_count", i))
		}
		switch {
		case i < len(failed):
			outcome(span, failed[i])
		case i == len(tries)-1 && err != nil:
			outcome(span, requests.Attempt{Err: err})
		}
		span.End(trace.WithTimestamp(ended))
	}
}

// outcome notes how an attempt ended.
func outcome(span trace.Span, a requests.Attempt) {
	if a.Err != nil {
		span.SetAttributes(attribute.String("error.type", errorType(a.Err)))
		span.SetStatus(codes.Error, errorText(a.Err))
		return
	}
	span.SetAttributes(attribute.Int("http.response.status_code", a.StatusCode))
	if a.StatusCode >= 400 {
		span.SetAttributes(attribute.String("error.type", strconv.Itoa(a.StatusCode)))
		span.SetStatus(codes.Error, "")
	}
}
