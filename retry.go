package requests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mountable/requests/internal/backoff"
)

// Retry says what an [HTTPAdapter] tries again, how often, and after which
// pause. It is urllib3's Retry as a value: a field left zero has urllib3's
// default, and nothing changes a Retry once it is in use, so one value serves any
// number of requests at a time. See [Retries] and [MaxRetries]; [Retry.State] is for
// loops and adapters that count their tries themselves.
//
//	failure                                       counted by   only for
//	no connection: refused, unreachable, no name  Connect      any method, nothing has been sent
//	no response, lost or too late                 Read         AllowedMethods
//	a status of StatusForcelist, or 413, 429      Status       AllowedMethods
//	and 503 with Retry-After while Total > 0
//	TLS or proxy                                  Other        any method
//
// Total caps them all. Redirects belong to the [Session]: Redirect, RaiseOnRedirect
// and RemoveHeadersOnRedirect are there for loops that count with a [RetryState].
type Retry struct {
	Total    RetryCount // 10 if not set
	Connect  RetryCount // no cap of its own if not set, as the others
	Read     RetryCount
	Redirect RetryCount
	Status   RetryCount
	Other    RetryCount

	AllowedMethods  []string // nil is HEAD, GET, PUT, DELETE, OPTIONS, TRACE, QUERY
	AnyMethod       bool     // all methods may be repeated, POST included, whatever AllowedMethods says
	StatusForcelist []int    // statuses that are tried again

	BackoffFactor time.Duration // the nth repeat waits for BackoffFactor * 2^(n-1), the first for nothing
	BackoffMax    time.Duration // of one wait, 120 s if 0
	BackoffJitter time.Duration // up to so much is added to each wait, at random

	RaiseOnStatus     Toggle        // Off: the last response is returned instead of ErrRetry
	RaiseOnRedirect   Toggle        // the same for redirects
	RespectRetryAfter Toggle        // Off: Retry-After counts for nothing
	RetryAfterMax     time.Duration // a longer Retry-After is cut to this, 6 h if 0

	RemoveHeadersOnRedirect []string // nil is Cookie, Authorization, Proxy-Authorization

	// IdempotencyKeys gives POST and PATCH requests that have none an Idempotency-Key
	// field, the same on each try, so that a server that knows it acts on them once.
	// With such a field, given or added, a request is tried again whatever its method,
	// unless AllowedMethods says otherwise.
	IdempotencyKeys bool

	// OnAttempt is called before each try, with those before it and a copy of the request, whose
	// Headers it may change. Its error ends the request.
	OnAttempt func(ctx context.Context, p *PreparedRequest, before []Attempt) error

	// RetryBody also tries again where the body of a response that is not streamed
	// fails while it is read. Requests never does.
	RetryBody bool
}

// RetryCount is a number of repeats in a [Retry]. A literal is that number, except
// that 0 means "not set"; see the constants, and [RetryTimes] for variables.
type RetryCount int

// Counts that are not numbers.
const (
	RetryNone      RetryCount = backoff.None      // 0 in urllib3: the first failure uses the count up
	RetryNever     RetryCount = backoff.Never     // False: as RetryNone, but the failure is returned as it is
	RetryUnlimited RetryCount = backoff.Unlimited // None: no cap
)

// RetryTimes returns the RetryCount of n repeats, where 0 is none, not the default.
func RetryTimes(n int) RetryCount { return RetryCount(backoff.Times(n)) }

// Int returns the number of repeats that are left; ok is false where there is no
// cap, or none was set.
func (c RetryCount) Int() (n int, ok bool) { return backoff.Count(c).Int() }

// String shows c as Python would: "3", "None" or "False".
func (c RetryCount) String() string { return backoff.Count(c).String() }

func (c RetryCount) negative() bool   { n, _ := c.Int(); return n < 0 }
func (c RetryCount) less() RetryCount { return RetryCount(backoff.Count(c).Less()) }

// Attempt is one try of a request.
type Attempt struct {
	Method     string
	URL        string
	Err        error  // nil if a response came
	StatusCode int    // 0 if none came
	Location   string // of a redirect
}

// shown is the try and how it ended.
func (a Attempt) shown() string {
	if err := a.Err; err != nil {
		if e, ok := err.(*Error); ok {
			own := *e
			own.Request, err = nil, &own // which would say again what the line begins with
		}
		return fmt.Sprintf("%s %s: %v", a.Method, redactURL(a.URL), err)
	}
	return fmt.Sprintf("%s %s: %d", a.Method, redactURL(a.URL), a.StatusCode)
}

// MaxRetryError is what [RetryState.Increment] returns when the retries are used up.
// An adapter wraps it into an [*Error] whose Kind is that of the reason, [ErrRetry]
// for a [*ResponseError].
type MaxRetryError struct {
	Reason  error     // the last failure, or a *ResponseError
	History []Attempt // all tries, the last one included
}

// Error tells how many tries there were, and how the last one ended.
func (e *MaxRetryError) Error() string {
	if len(e.History) == 1 {
		return fmt.Sprintf("gave up after 1 try: %v", e.Reason)
	}
	return fmt.Sprintf("gave up after %d tries: %v", len(e.History), e.Reason)
}

// Unwrap returns the reason.
func (e *MaxRetryError) Unwrap() error { return e.Reason }

// ResponseError says that responses, not failures, used the retries up.
type ResponseError struct {
	StatusCode int // of the last response
	Redirect   bool
}

// Error has urllib3's text: "too many 503 error responses".
func (e *ResponseError) Error() string {
	switch {
	case e.Redirect:
		return "too many redirects"
	case e.StatusCode == 0:
		return "too many error responses"
	}
	return fmt.Sprintf("too many %d error responses", e.StatusCode)
}

// withDefaults is r with every field that is not set replaced by what it stands for.
func (r Retry) withDefaults() Retry {
	r.settleRedirects()
	r.Total = r.total()
	if r.AllowedMethods == nil {
		r.AllowedMethods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "QUERY", "TRACE"}
	}
	r.BackoffMax, r.RetryAfterMax = r.backoffMax(), r.retryAfterMax()
	r.RaiseOnStatus, r.RaiseOnRedirect = r.RaiseOnStatus.or(On), r.RaiseOnRedirect.or(On)
	r.RespectRetryAfter = r.RespectRetryAfter.or(On)
	if r.RemoveHeadersOnRedirect == nil {
		r.RemoveHeadersOnRedirect = []string{"authorization", "cookie", "proxy-authorization"}
	}
	return r
}

// settleRedirects makes RetryNever for redirects, or for all, no redirect and no error.
func (r *Retry) settleRedirects() {
	if r.Redirect == RetryNever || r.Total == RetryNever {
		r.Redirect, r.RaiseOnRedirect = RetryNone, Off
	}
}

func (r *Retry) total() RetryCount            { return cmp.Or(r.Total, 10) }
func (r *Retry) backoffMax() time.Duration    { return cmp.Or(r.BackoffMax, 120*time.Second) }
func (r *Retry) retryAfterMax() time.Duration { return cmp.Or(r.RetryAfterMax, 6*time.Hour) }

// String shows the counts, as urllib3 does.
func (r Retry) String() string {
	return fmt.Sprintf("Retry(total=%v, connect=%v, read=%v, redirect=%v, status=%v)", r.total(), r.Connect, r.Read, r.Redirect, r.Status)
}

// check returns an error that names the first setting that makes no sense.
func (r *Retry) check() error {
	names := [...]string{"Total", "Connect", "Read", "Redirect", "Status", "Other", "BackoffFactor", "BackoffMax", "BackoffJitter", "RetryAfterMax"}
	for i, value := range [...]any{r.Total, r.Connect, r.Read, r.Redirect, r.Status, r.Other, r.BackoffFactor, r.BackoffMax, r.BackoffJitter, r.RetryAfterMax} {
		pause, _ := value.(time.Duration)
		if count, _ := value.(RetryCount); count.negative() || pause < 0 {
			return fail(ErrInvalidArgument, "Retries: Retry.%s is negative: %v", names[i], value)
		}
	}
	return nil
}

// clone returns a Retry that shares no list with r.
func (r Retry) clone() Retry {
	r.AllowedMethods = slices.Clone(r.AllowedMethods)
	r.StatusForcelist = slices.Clone(r.StatusForcelist)
	r.RemoveHeadersOnRedirect = slices.Clone(r.RemoveHeadersOnRedirect)
	return r
}

// RetryState is a [Retry] under way: what is left of its counts, and the tries so
// far. An [HTTPAdapter] counts with it; so can a loop or an adapter of your own. It is
// a value: nothing changes it, and [RetryState.Increment] returns the next one.
type RetryState struct {
	Left    Retry     // the counts that are left; what was not set is what it stands for
	History []Attempt // the tries so far, oldest first

	usualMethods bool // AllowedMethods was not set
}

// State returns r before its first try, with every field that is not set replaced by
// what it stands for.
func (r Retry) State() RetryState {
	return RetryState{Left: r.clone().withDefaults(), usualMethods: r.AllowedMethods == nil}
}

// Exhausted reports whether a count has gone below zero.
func (s RetryState) Exhausted() bool {
	r := &s.Left
	return slices.ContainsFunc([]RetryCount{r.total(), r.Connect, r.Read, r.Redirect, r.Status, r.Other}, RetryCount.negative)
}

// IsRetry reports whether a response of this status is to be tried again, whatever is
// left of the counts.
func (s RetryState) IsRetry(method string, status int, hasRetryAfter bool) bool {
	r := &s.Left
	if !r.allows(method) {
		return false
	}
	if slices.Contains(r.StatusForcelist, status) {
		return true
	}
	total, capped := r.total().Int()
	return capped && total != 0 && hasRetryAfter && r.RespectRetryAfter.or(On) == On && (status == 413 || status == 429 || status == 503)
}

func (r *Retry) allows(method string) bool {
	switch {
	case r.AnyMethod:
		return true
	case r.AllowedMethods == nil:
		return backoff.Idempotent(strings.ToUpper(method))
	}
	return slices.ContainsFunc(r.AllowedMethods, func(m string) bool { return strings.EqualFold(m, method) })
}

// Increment counts one try: a failure where err is not nil, else a response, which
// may be nil. It returns what is left, or an error: err itself where such a failure is
// not to be tried again, a [*MaxRetryError] where the retries are used up.
func (s RetryState) Increment(method, url string, resp *Response, err error) (RetryState, error) {
	r := &s.Left
	if err != nil && r.Total == RetryNever {
		return s, err
	}
	next, try := s, Attempt{Method: method, URL: url, Err: err}
	next.Left.settleRedirects()
	next.Left.Total = r.total().less()
	reason := err
	switch {
	case err == nil:
		reason = next.Left.countResponse(resp, &try)
	case isConnectFailure(err):
		if r.Connect == RetryNever {
			return s, err
		}
		next.Left.Connect = r.Connect.less()
	case isReadFailure(err):
		if r.Read == RetryNever || method == "" || !r.allows(method) {
			return s, err
		}
		next.Left.Read = r.Read.less()
	default:
		next.Left.Other = r.Other.less()
	}
	next.History = append(slices.Clip(s.History), try)
	if next.Exhausted() {
		return s, &MaxRetryError{Reason: reason, History: next.History}
	}
	return next, nil
}

// countResponse counts a response and returns the reason for giving up, should it
// have been the last.
func (r *Retry) countResponse(resp *Response, try *Attempt) error {
	if resp == nil || resp.StatusCode == 0 {
		return &ResponseError{}
	}
	try.StatusCode = resp.StatusCode
	if resp.IsRedirect() {
		try.Location, _ = resp.location()
	}
	if try.Location != "" {
		r.Redirect = r.Redirect.less()
		return &ResponseError{StatusCode: resp.StatusCode, Redirect: true}
	}
	r.Status = r.Status.less()
	return &ResponseError{StatusCode: resp.StatusCode}
}

// isConnectFailure reports whether there was no connection, so that nothing has been sent.
func isConnectFailure(err error) bool { return errors.Is(err, ErrConnect) }

// isReadFailure reports whether the request may have been taken, but its response did not come.
func isReadFailure(err error) bool {
	if errors.Is(err, ErrSSL) || errors.Is(err, ErrProxy) {
		return false
	}
	return errors.Is(err, ErrReadTimeout) || errors.Is(err, ErrConnection)
}

// backoffTime is the pause before the next try where no Retry-After names one: none
// before the first repeat, then BackoffFactor, doubled with each try.
func (s RetryState) backoffTime() time.Duration {
	n, r := 0, &s.Left
	for i := len(s.History) - 1; i >= 0 && s.History[i].Location == ""; i-- {
		n++
	}
	return backoff.Wait(n, r.BackoffFactor, r.BackoffJitter, r.backoffMax())
}

// Delay is the pause before the next try: what Retry-After asks for, if resp is not
// nil and has a usable one, and else none before the first repeat, then BackoffFactor,
// doubled with each try. It takes seconds with a fraction too, and of several fields the longest.
func (s RetryState) Delay(resp *Response, now time.Time) time.Duration {
	if resp == nil || s.Left.RespectRetryAfter == Off {
		return s.backoffTime()
	}
	if d, ok := s.retryAfter(resp, now); ok && d > 0 {
		return d
	}
	return s.backoffTime()
}

// retryAfter reads the Retry-After fields of a response; ok is false where there are
// none, or none that can be read.
func (s RetryState) retryAfter(resp *Response, now time.Time) (d time.Duration, ok bool) {
	return backoff.RetryAfter(resp.Headers.Values("Retry-After"), now, s.Left.retryAfterMax())
}

// ParseRetryAfter reads the value of a Retry-After field (RFC 9110 section
// 10.2.3): seconds, or a date in any of HTTP's three forms or of mail's, from
// which now is taken away. The result lies between 0 and RetryAfterMax. Anything
// else is [ErrInvalidHeader]; an [HTTPAdapter] then takes the field as absent,
// where urllib3 fails.
func (s RetryState) ParseRetryAfter(value string, now time.Time) (time.Duration, error) {
	d, ok := backoff.ParseRetryAfter(value, now, s.Left.retryAfterMax())
	if !ok {
		return 0, fail(ErrInvalidHeader, "Invalid Retry-After header: %s", value)
	}
	return d, nil
}
