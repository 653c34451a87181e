package requests

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/httpdate"
)

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
		return isIdempotent(strings.ToUpper(method))
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

// isReadFailure reports whether the request may have been taken, but its response did
// not come.
func isReadFailure(err error) bool {
	if errors.Is(err, ErrSSL) || errors.Is(err, ErrProxy) {
		return false
	}
	return errors.Is(err, ErrReadTimeout) || errors.Is(err, ErrConnection)
}

// BackoffTime is the pause before the next try where no Retry-After names one: none
// before the first repeat, then BackoffFactor, doubled with each try.
func (s RetryState) BackoffTime() time.Duration {
	n, r := 0, &s.Left
	for i := len(s.History) - 1; i >= 0 && s.History[i].Location == ""; i-- {
		n++
	}
	if n <= 1 {
		return 0
	}
	wait := math.Ldexp(float64(r.BackoffFactor), n-1) + rand.Float64()*float64(r.BackoffJitter)
	if !(wait > 0) {
		return 0
	}
	return max(0, time.Duration(min(wait, float64(r.backoffMax()))))
}

// Delay is the pause before the next try: what Retry-After asks for, if resp is not
// nil and has a usable one, else BackoffTime. It takes seconds with a fraction too, and
// of several fields the longest.
func (s RetryState) Delay(resp *Response, now time.Time) time.Duration {
	if resp == nil || s.Left.RespectRetryAfter == Off {
		return s.BackoffTime()
	}
	if d, ok := s.retryAfter(resp, now); ok && d > 0 {
		return d
	}
	return s.BackoffTime()
}

// retryAfter reads the Retry-After fields of a response; ok is false where there are
// none, or none that can be read. Of different ones the longest counts: whoever sent
// it, the server or something before it, will not take the request any sooner.
func (s RetryState) retryAfter(resp *Response, now time.Time) (longest time.Duration, ok bool) {
	for _, value := range resp.Headers.Values("Retry-After") {
		if d, readable := s.pauseOf(value, now); readable {
			longest, ok = max(longest, d), true
			continue
		}
		for item := range strings.SplitSeq(value, ",") { // "1, 1": two fields that somebody joined
			if d, readable := s.pauseOf(item, now); readable {
				longest, ok = max(longest, d), true
			}
		}
	}
	return longest, ok
}

// pauseOf is ParseRetryAfter for what servers send besides: seconds with a fraction.
func (s RetryState) pauseOf(value string, now time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(value)
	whole, fraction, cut := strings.Cut(text, ".")
	if cut && ascii.IsDigits(whole) && ascii.IsDigits(fraction) {
		seconds, _ := strconv.ParseFloat(text, 64) // +Inf at worst, which the bound takes
		return time.Duration(min(math.Ceil(seconds*float64(time.Second)), float64(s.Left.retryAfterMax()))), true
	}
	d, err := s.ParseRetryAfter(value, now)
	return d, err == nil
}

// ParseRetryAfter reads the value of a Retry-After field (RFC 9110 section
// 10.2.3): seconds, or a date in any of HTTP's three forms or of mail's, from
// which now is taken away. The result lies between 0 and RetryAfterMax. Anything
// else is [ErrInvalidHeader]; an [HTTPAdapter] then takes the field as absent,
// where urllib3 fails.
func (s RetryState) ParseRetryAfter(value string, now time.Time) (time.Duration, error) {
	limit := s.Left.retryAfterMax()
	text := strings.TrimSpace(value)
	if ascii.IsDigits(text) {
		seconds, err := strconv.ParseUint(text, 10, 32)
		if err != nil || time.Duration(seconds) > limit/time.Second {
			return limit, nil
		}
		return time.Duration(seconds) * time.Second, nil
	}
	date, ok := httpdate.HTTP(text)
	if !ok {
		return 0, fail(ErrInvalidHeader, "Invalid Retry-After header: %s", value)
	}
	return max(0, min(date.Sub(now), limit)), nil
}
