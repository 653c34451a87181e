package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
)

// Codes of the server that nats.go has no names for.
const (
	codeStoreFailed     jetstream.ErrorCode = 10077 // the stream is full
	codeInsufficient    jetstream.ErrorCode = 10023 // the server is
	codeStorageExceeded jetstream.ErrorCode = 10047
	codeNoSpace         jetstream.ErrorCode = 10028
)

// failure gives an error of the server, or of a context, its Kind.
func failure(err error, detail string) error {
	if known := (*requests.Error)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	return &requests.Error{Kind: kindOf(err), Err: err, Detail: detail}
}

func kindOf(err error) requests.Kind {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	var op *net.OpError
	switch {
	case is(context.Canceled):
		return requests.ErrCanceled
	case is(context.DeadlineExceeded, nats.ErrTimeout, jetstream.ErrAsyncPublishTimeout):
		return requests.ErrReadTimeout
	case is(nats.ErrMaxPayload, jetstream.ErrStreamMessageExceedsMaximum):
		return requests.ErrBodyTooLarge
	case isFull(err):
		return requests.ErrLimit
	case is(nats.ErrNoServers) || errors.As(err, &op) && op.Op == "dial":
		return requests.ErrConnect
	case op != nil, is(nats.ErrConnectionClosed, nats.ErrDisconnected, nats.ErrNoResponders, nats.ErrReconnectBufExceeded, jetstream.ErrNoStreamResponse, jetstream.ErrServerShutdown, jetstream.ErrConsumerLeadershipChanged, jetstream.ErrNoHeartbeat, jetstream.ErrTooManyStalledMsgs, jetstream.ErrJetStreamNotEnabled, nats.ErrAuthorization):
		return requests.ErrConnection
	}
	return requests.ErrRequest
}

func isFull(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode {
	case codeStoreFailed, codeInsufficient, codeStorageExceeded, codeNoSpace:
		return true
	}
	return false
}

// isTaken reports whether the subject of a message that wanted to be the first has one already.
func isTaken(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// isPassing reports whether an error of the server may be gone a moment later.
func isPassing(err error) bool {
	return errors.Is(err, requests.ErrConnection) || errors.Is(err, requests.ErrTimeout) || errors.Is(err, jetstream.ErrConsumerDeleted)
}

func invalid(format string, args ...any) error {
	return &requests.Error{Kind: requests.ErrInvalidArgument, Detail: fmt.Sprintf(format, args...)}
}

// kindNamed finds the Kind that was written down by its name: numbers differ between versions.
func kindNamed(name string) requests.Kind {
	for k := requests.ErrRequest; k <= requests.ErrDenied; k++ {
		if k.Error() == name {
			return k
		}
	}
	return requests.ErrRequest
}

// nameOf is the name of an error's Kind.
func nameOf(err error) string {
	var e *requests.Error
	if errors.As(err, &e) {
		return e.Kind.Error()
	}
	return requests.ErrRequest.Error()
}

// isToken reports whether text can be a part of a subject, and of a file's name.
func isToken(text string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return text != "" && len(text) <= maxToken && strings.Trim(text, letters) == "" && strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune(letters, r) }) < 0
}

const maxToken = 128 // the server's limit for names is 255
