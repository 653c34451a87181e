package requests

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Retry says what an [HTTPAdapter] tries again, how often, and after which
// pause. It is urllib3's Retry as a value: a field left zero has urllib3's
// default, and nothing changes a Retry once it is in use, so one value serves any
// number of requests at a time. See [Retries] and [MaxRetries].
//
//	failure                                       counted by   only for
//	no connection: refused, unreachable, no name  Connect      any method, nothing has been sent
//	no reply, lost or too late                    Read         AllowedMethods
//	a status of StatusForcelist, or 413, 429      Status       AllowedMethods
//	and 503 with Retry-After while Total > 0
//	TLS or proxy                                  Other        any method
//
// Total caps them all. Redirects belong to the [Session]: of Redirect,
// RaiseOnRedirect and RemoveHeadersOnRedirect only [Retry.Increment] takes notice.
type Retry struct {
	Total    Count // 10 if not set
	Connect  Count // no cap of its own if not set, as the others
	Read     Count
	Redirect Count
	Status   Count
	Other    Count

	AllowedMethods  []string // in upper case; nil is HEAD, GET, PUT, DELETE, OPTIONS, TRACE
	AnyMethod       bool     // all methods may be repeated, POST included, whatever AllowedMethods says
	StatusForcelist []int    // statuses that are tried again

	BackoffFactor float64       // seconds; the nth repeat waits for BackoffFactor * 2^(n-1), the first for nothing
	BackoffMax    time.Duration // of one wait, 120 s if 0
	BackoffJitter time.Duration // up to so much is added to each wait, at random

	RaiseOnStatus     Toggle        // Off: the last reply is returned in the place of ErrRetry
	RaiseOnRedirect   Toggle        // the same for redirects
	RespectRetryAfter Toggle        // Off: Retry-After counts for nothing
	RetryAfterMax     time.Duration // a longer Retry-After is cut to this, 6 h if 0

	RemoveHeadersOnRedirect []string // nil is Cookie, Authorization, Proxy-Authorization

	// RetryBody also tries again where the body of a reply that is not streamed
	// fails while it is read. Requests never does.
	RetryBody bool

	History []Attempt // the tries so far, oldest first
}

// Count is a number of repeats in a [Retry]. A literal is that number, except
// that 0 means "not set"; see the constants, and [RetryTimes] for variables.
type Count int

// Counts that are no numbers.
const (
	RetryNone      Count = math.MinInt32 + iota // 0 in urllib3: the first failure uses the count up
	RetryNever                                  // False: as RetryNone, but the failure is returned as it is
	RetryUnlimited                              // None: no cap
)

// RetryTimes returns the Count of n repeats, where 0 is really none.
func RetryTimes(n int) Count {
	if n == 0 {
		return RetryNone
	}
	return Count(n)
}

// Int returns the number of repeats that are left; ok is false where there is no
// cap, or none was set.
func (c Count) Int() (n int, ok bool) {
	switch c {
	case 0, RetryUnlimited:
		return 0, false
	case RetryNone, RetryNever:
		return 0, true
	}
	return int(c), true
}

// String shows c as Python would: "3", "None" or "False".
func (c Count) String() string {
	if c == RetryNever {
		return "False"
	}
	n, ok := c.Int()
	if !ok {
		return "None"
	}
	return fmt.Sprint(n)
}

func (c Count) negative() bool { n, _ := c.Int(); return n < 0 }

// less counts one down. Below zero, the count is used up.
func (c Count) less() Count {
	n, ok := c.Int()
	if !ok || n < 0 {
		return c
	}
	return RetryTimes(n - 1)
}

// Attempt is a try that a retry put aside.
type Attempt struct {
	Method     string
	URL        string
	Err        error  // nil if a reply came
	StatusCode int    // 0 if none came
	Location   string // of a redirect
}

// String shows the try and how it ended, without the user info of the URL.
func (a Attempt) String() string {
	if a.Err != nil {
		return fmt.Sprintf("%s %s: %v", a.Method, redactURL(a.URL), a.Err)
	}
	return fmt.Sprintf("%s %s: %d", a.Method, redactURL(a.URL), a.StatusCode)
}

// MaxRetryError is what [Retry.Increment] gives when the retries are used up. An
// adapter wraps it into an [*Error] whose Kind is that of the reason, [ErrRetry]
// for a [*ResponseError].
type MaxRetryError struct {
	Reason  error     // the last failure, or a *ResponseError
	History []Attempt // all tries, the last one included
}

// Error tells how many tries there were, and how the last one ended.
func (e *MaxRetryError) Error() string {
	return fmt.Sprintf("gave up after %d tries: %v", len(e.History), e.Reason)
}

// Unwrap returns the reason.
func (e *MaxRetryError) Unwrap() error { return e.Reason }

// ResponseError says that replies, not failures, used the retries up.
type ResponseError struct {
	StatusCode int // of the last reply
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

// WithDefaults returns r with every field that is not set replaced by what it
// stands for.
func (r Retry) WithDefaults() Retry {
	r.settleRedirects()
	r.Total = r.total()
	if r.AllowedMethods == nil {
		r.AllowedMethods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"}
	}
	r.BackoffMax, r.RetryAfterMax = r.backoffMax(), r.retryAfterMax()
	r.RaiseOnStatus, r.RaiseOnRedirect = r.RaiseOnStatus.or(On), r.RaiseOnRedirect.or(On)
	r.RespectRetryAfter = r.RespectRetryAfter.or(On)
	if r.RemoveHeadersOnRedirect == nil {
		r.RemoveHeadersOnRedirect = []string{"authorization", "cookie", "proxy-authorization"}
	}
	return r
}

// settleRedirects: RetryNever for redirects, or for all, is no redirect and no error.
func (r *Retry) settleRedirects() {
	if r.Redirect == RetryNever || r.Total == RetryNever {
		r.Redirect, r.RaiseOnRedirect = RetryNone, Off
	}
}

func (r *Retry) total() Count {
	if r.Total == 0 {
		return 10
	}
	return r.Total
}

func (r *Retry) backoffMax() time.Duration {
	if r.BackoffMax == 0 {
		return 120 * time.Second
	}
	return r.BackoffMax
}

func (r *Retry) retryAfterMax() time.Duration {
	if r.RetryAfterMax == 0 {
		return 6 * time.Hour
	}
	return r.RetryAfterMax
}

// String shows the counts, as urllib3 does.
func (r Retry) String() string {
	return fmt.Sprintf("Retry(total=%v, connect=%v, read=%v, redirect=%v, status=%v)", r.total(), r.Connect, r.Read, r.Redirect, r.Status)
}

// Exhausted reports whether a count has gone below zero.
func (r Retry) Exhausted() bool {
	return slices.ContainsFunc([]Count{r.total(), r.Connect, r.Read, r.Redirect, r.Status, r.Other}, Count.negative)
}

// IsRetry reports whether a reply of this status is to be tried again, counts aside.
func (r Retry) IsRetry(method string, status int, hasRetryAfter bool) bool {
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
		return isIdempotent(strings.ToUpper(method))
	}
	return slices.Contains(r.AllowedMethods, strings.ToUpper(method))
}

// Increment counts one try: a failure where err is not nil, else a reply, which
// may be nil. It returns what is left, or an error: err itself where such a
// failure is not to be tried again, a [*MaxRetryError] where the retries are used up.
func (r Retry) Increment(method, url string, resp *Response, err error) (Retry, error) {
	if err != nil && r.Total == RetryNever {
		return r, err
	}
	next, try := r, Attempt{Method: method, URL: url, Err: err}
	next.settleRedirects()
	next.Total = r.total().less()
	reason := err
	switch {
	case err == nil:
		reason = next.countReply(resp, &try)
	case isConnectFailure(err):
		if r.Connect == RetryNever {
			return r, err
		}
		next.Connect = r.Connect.less()
	case isReadFailure(err):
		if r.Read == RetryNever || method == "" || !r.allows(method) {
			return r, err
		}
		next.Read = r.Read.less()
	default:
		next.Other = r.Other.less()
	}
	next.History = append(slices.Clip(r.History), try)
	if next.Exhausted() {
		return r, &MaxRetryError{Reason: reason, History: next.History}
	}
	return next, nil
}

// countReply counts a reply and returns the reason for giving up, should it have
// been the last.
func (r *Retry) countReply(resp *Response, try *Attempt) error {
	if resp == nil || resp.StatusCode == 0 {
		return &ResponseError{}
	}
	try.StatusCode, try.Location = resp.StatusCode, resp.redirectTarget()
	if try.Location != "" {
		r.Redirect = r.Redirect.less()
		return &ResponseError{StatusCode: resp.StatusCode, Redirect: true}
	}
	r.Status = r.Status.less()
	return &ResponseError{StatusCode: resp.StatusCode}
}

// isConnectFailure: there was no connection, so nothing has been sent.
func isConnectFailure(err error) bool { return errors.Is(err, ErrConnect) }

// isReadFailure: the request may have been taken, but its reply did not come.
func isReadFailure(err error) bool {
	if errors.Is(err, ErrSSL) || errors.Is(err, ErrProxy) {
		return false
	}
	return errors.Is(err, ErrReadTimeout) || errors.Is(err, ErrConnection)
}

// BackoffTime is the pause before the next try where no Retry-After names one:
// none before the first repeat, then BackoffFactor, doubled with each try.
func (r Retry) BackoffTime() time.Duration {
	n := 0
	for i := len(r.History) - 1; i >= 0 && r.History[i].Location == ""; i-- {
		n++
	}
	if n <= 1 {
		return 0
	}
	wait := math.Ldexp(r.BackoffFactor, n-1)*float64(time.Second) + rand.Float64()*float64(r.BackoffJitter)
	if !(wait > 0) {
		return 0
	}
	return max(0, time.Duration(min(wait, float64(r.backoffMax()))))
}

// Delay is the pause before the next try: what Retry-After asks for, if resp is
// not nil and has a usable one, else BackoffTime.
func (r Retry) Delay(resp *Response, now time.Time) time.Duration {
	if resp == nil || r.RespectRetryAfter == Off {
		return r.BackoffTime()
	}
	if value := resp.Headers.Get("Retry-After"); value != "" {
		if d, err := r.ParseRetryAfter(value, now); err == nil && d > 0 {
			return d
		}
	}
	return r.BackoffTime()
}

// check refuses what makes no sense.
func (r *Retry) check() error {
	for _, c := range []struct {
		name  string
		count Count
	}{{"Total", r.Total}, {"Connect", r.Connect}, {"Read", r.Read}, {"Redirect", r.Redirect}, {"Status", r.Status}, {"Other", r.Other}} {
		if c.count.negative() {
			return fail(ErrInvalidArgument, "Retry.%s is negative: %v", c.name, c.count)
		}
	}
	switch {
	case !(r.BackoffFactor >= 0) || math.IsInf(r.BackoffFactor, 1):
		return fail(ErrInvalidArgument, "Retry.BackoffFactor is no number of seconds: %v", r.BackoffFactor)
	case r.BackoffMax < 0:
		return fail(ErrInvalidArgument, "Retry.BackoffMax is negative: %v", r.BackoffMax)
	case r.BackoffJitter < 0:
		return fail(ErrInvalidArgument, "Retry.BackoffJitter is negative: %v", r.BackoffJitter)
	case r.RetryAfterMax < 0:
		return fail(ErrInvalidArgument, "Retry.RetryAfterMax is negative: %v", r.RetryAfterMax)
	}
	return nil
}

// clone returns a Retry that shares no list with r.
func (r Retry) clone() Retry {
	r.AllowedMethods = slices.Clone(r.AllowedMethods)
	r.StatusForcelist = slices.Clone(r.StatusForcelist)
	r.RemoveHeadersOnRedirect = slices.Clone(r.RemoveHeadersOnRedirect)
	r.History = slices.Clone(r.History)
	return r
}
