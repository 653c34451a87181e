package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
)

var _ = register(map[string]vectorFunc{
	"urllib3_retry_increment": retryIncrement,
	"urllib3_retry_is_retry":  retryIsRetry,
	"urllib3_retry_after":     retryAfter,
	"urllib3_retry_sleep":     retrySleep,
	"urllib3_retry_from_int":  retryFromInt,
})

// retryOption makes the adapter option of a scenario's max_retries: a number, or
// arguments of urllib3's Retry.
func retryOption(raw json.RawMessage) (requests.AdapterOption, error) {
	var n int
	if json.Unmarshal(raw, &n) == nil {
		return requests.MaxRetries(n), nil
	}
	tree := map[string]any{}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	r, err := retryOf(tree)
	return requests.Retries(r), err
}

// retryOf translates keywords of urllib3's Retry.
func retryOf(keywords map[string]any) (requests.Retry, error) {
	var r requests.Retry
	for name, value := range keywords {
		if err := setRetry(&r, name, value); err != nil {
			return r, err
		}
	}
	return r, nil
}

func setRetry(r *requests.Retry, name string, value any) error {
	counts := map[string]*requests.RetryCount{
		"total": &r.Total, "connect": &r.Connect, "read": &r.Read, "redirect": &r.Redirect, "status": &r.Status, "other": &r.Other,
	}
	switches := map[string]*requests.Toggle{
		"raise_on_redirect": &r.RaiseOnRedirect, "raise_on_status": &r.RaiseOnStatus, "respect_retry_after_header": &r.RespectRetryAfter,
	}
	times := map[string]*time.Duration{"backoff_max": &r.BackoffMax, "backoff_jitter": &r.BackoffJitter, "retry_after_max": &r.RetryAfterMax}
	switch {
	case counts[name] != nil:
		c, err := countOf(value)
		*counts[name] = c
		return err
	case switches[name] != nil:
		*switches[name] = requests.On
		if value == false {
			*switches[name] = requests.Off
		}
	case times[name] != nil:
		*times[name] = secondsOf(value)
	case name == "backoff_factor":
		r.BackoffFactor = time.Duration(math.Round(floatOf(value) * float64(time.Second)))
	case name == "allowed_methods":
		return setMethods(r, value)
	case name == "status_forcelist":
		return setForcelist(r, value)
	default:
		return fmt.Errorf("unknown keyword %q of Retry", name)
	}
	return nil
}

func countOf(value any) (requests.RetryCount, error) {
	switch value := value.(type) {
	case nil:
		return requests.RetryUnlimited, nil
	case bool:
		if value {
			return 0, cannot("a count is no truth value")
		}
		return requests.RetryNever, nil
	case json.Number:
		n, err := value.Int64()
		return requests.RetryTimes(int(n)), err
	}
	return 0, cannot("a count is no %T", value)
}

func floatOf(value any) float64 {
	n, _ := value.(json.Number)
	f, _ := n.Float64()
	return f
}

// secondsOf is a time limit; in Go, 0 is "the default", and anything below is none.
func secondsOf(value any) time.Duration {
	if d := time.Duration(floatOf(value) * float64(time.Second)); d != 0 {
		return d
	}
	return -1
}

// setMethods: null, false and an empty list are all methods.
func setMethods(r *requests.Retry, value any) error {
	list, _ := value.([]any)
	if len(list) == 0 {
		r.AnyMethod = true
		return nil
	}
	for _, m := range list {
		r.AllowedMethods = append(r.AllowedMethods, m.(string))
	}
	return nil
}

func setForcelist(r *requests.Retry, value any) error {
	list, ok := value.([]any)
	if !ok {
		ends, _ := value.(map[string]any)["range"].([]any)
		for status := intOf(ends[0]); status < intOf(ends[1]); status++ {
			r.StatusForcelist = append(r.StatusForcelist, status)
		}
		return nil
	}
	for _, item := range list {
		if _, text := item.(string); text {
			return cannot("a status is a number")
		}
		r.StatusForcelist = append(r.StatusForcelist, intOf(item))
	}
	return nil
}

func (in input) retry() (requests.Retry, error) {
	keywords, _ := in.fields["retry"].(map[string]any)
	return retryOf(keywords)
}

// retryFailures are what the library makes of urllib3's errors.
func retryFailure(class string) error {
	kinds := map[string]requests.Kind{
		"ConnectTimeoutError": requests.ErrConnectTimeout, "NewConnectionError": requests.ErrConnect, "NameResolutionError": requests.ErrConnect,
		"ReadTimeoutError": requests.ErrReadTimeout, "ProtocolError": requests.ErrConnection, "SSLError": requests.ErrSSL,
		"IncompleteRead": requests.ErrChunkedEncoding,
	}
	switch {
	case kinds[class] != 0:
		return &requests.Error{Kind: kinds[class]}
	case strings.HasPrefix(class, "ProxyError("):
		inner := strings.TrimSuffix(strings.TrimPrefix(class, "ProxyError("), ")")
		return &requests.Error{Kind: requests.ErrProxy, Err: retryFailure(inner)}
	}
	return errors.New(class)
}

// namedError is an error of a step under its recorded name.
type namedError struct {
	error
	name string
}

func (e namedError) Unwrap() error { return e.error }

func retryIncrement(t *testing.T, in input) (any, error) {
	settings, err := in.retry()
	if err != nil {
		return nil, err
	}
	r, out := settings.State(), []any{}
	for _, s := range in.fields["steps"].([]any) {
		step := s.(map[string]any)
		next, err := incrementStep(r, step)
		if err != nil {
			out = append(out, retryEnd(err))
			break
		}
		r = next
		out = append(out, map[string]any{"state": retryCounts(r.Left), "exhausted": r.Exhausted(), "backoff": r.Delay(nil, time.Time{}).Seconds()})
	}
	return append(out, map[string]any{"history": retryHistory(r)}), nil
}

func incrementStep(r requests.RetryState, step map[string]any) (requests.RetryState, error) {
	method, _ := step["method"].(string)
	url, _ := step["url"].(string)
	if class, ok := step["error"].(string); ok {
		name, _, _ := strings.Cut(class, "(")
		return r.Increment(method, url, nil, namedError{retryFailure(class), name})
	}
	if step["status"] == nil {
		return r.Increment(method, url, nil, nil)
	}
	resp := &requests.Response{StatusCode: intOf(step["status"])}
	if location, ok := step["location"].(string); ok {
		resp.Headers.Set("Location", location)
	}
	return r.Increment(method, url, resp, nil)
}

func retryEnd(err error) map[string]any {
	gaveUp, ok := errors.AsType[*requests.MaxRetryError](err)
	if !ok {
		return map[string]any{"error": nameOf(err), "reason": nil, "reason_str": nil}
	}
	if e, ok := errors.AsType[*requests.ResponseError](err); ok {
		return map[string]any{"error": "MaxRetryError", "reason": "ResponseError", "reason_str": e.Error()}
	}
	return map[string]any{"error": "MaxRetryError", "reason": nameOf(gaveUp.Reason), "reason_str": nil}
}

func nameOf(err error) any {
	if e, ok := errors.AsType[namedError](err); ok {
		return e.name
	}
	return nil
}

func retryCounts(r requests.Retry) map[string]any {
	return map[string]any{
		"total": countTree(r.Total), "connect": countTree(r.Connect), "read": countTree(r.Read),
		"redirect": countTree(r.Redirect), "status": countTree(r.Status), "other": countTree(r.Other),
	}
}

func countTree(c requests.RetryCount) any {
	n, ok := c.Int()
	switch {
	case c == requests.RetryNever:
		return false
	case !ok:
		return nil
	}
	return n
}

func retryHistory(r requests.RetryState) []any {
	history := []any{}
	for _, h := range r.History {
		entry := []any{orNull(h.Method, h.Method != ""), h.URL, nameOf(h.Err), nil, orNull(h.Location, h.Location != "")}
		if h.StatusCode != 0 {
			entry[3] = h.StatusCode
		}
		history = append(history, entry)
	}
	return history
}

func retryIsRetry(_ *testing.T, in input) (any, error) {
	r, err := in.retry()
	has, _ := in.fields["has_retry_after"].(bool)
	return r.State().IsRetry(in.text("method"), intOf(in.fields["status"]), has), err
}

// now is the clock of a vector, by default the one VECTORS.md names for urllib3_retry_after.
func (in input) now() time.Time {
	if !in.present("now") {
		return time.Unix(1559559600, 0)
	}
	seconds := floatOf(in.fields["now"])
	return time.Unix(int64(seconds), int64((seconds-float64(int64(seconds)))*1e9))
}

func retryAfter(_ *testing.T, in input) (any, error) {
	var r requests.Retry
	if in.present("retry_after_max") {
		r.RetryAfterMax = secondsOf(in.fields["retry_after_max"])
	}
	d, err := r.State().ParseRetryAfter(in.text("value"), in.now())
	return d.Seconds(), err
}

// retrySleep gives the pauses before the next try.
func retrySleep(_ *testing.T, in input) (any, error) {
	settings, err := in.retry()
	if err != nil {
		return nil, err
	}
	r := settings.State()
	for range intOf(in.fields["errors"]) {
		if r, err = r.Increment("GET", "/", nil, retryFailure("ReadTimeoutError")); err != nil {
			return nil, err
		}
	}
	sleeps := []any{}
	if d := r.Delay(in.retryReply(), in.now()); d > 0 {
		sleeps = append(sleeps, d.Seconds())
	}
	return sleeps, nil
}

func (in input) retryReply() *requests.Response {
	if !in.present("status") {
		return nil
	}
	resp := &requests.Response{StatusCode: intOf(in.fields["status"])}
	headers, _ := in.fields["headers"].(map[string]any)
	for name, value := range headers {
		resp.Headers.Set(name, value.(string))
	}
	return resp
}

// retryFromInt: null is urllib3's default of three, a number that many, and
// redirect false, a repeat count of its own.
func retryFromInt(_ *testing.T, in input) (any, error) {
	r := requests.Retry{Total: 3}
	switch {
	case in.present("retries"):
		total, err := countOf(in.fields["retries"])
		if err != nil {
			return nil, err
		}
		r.Total = total
		if redirect := in.fields["redirect"]; redirect == false || in.has("redirect") && redirect == nil {
			r.Redirect = requests.RetryNever
		}
	case in.present("default"):
		r.Total = requests.RetryTimes(intOf(in.fields["default"]))
	}
	return retrySettings(r.State().Left), nil
}

func retrySettings(r requests.Retry) map[string]any {
	out := retryCounts(r)
	out["raise_on_redirect"], out["raise_on_status"] = r.RaiseOnRedirect == requests.On, r.RaiseOnStatus == requests.On
	out["respect_retry_after_header"] = r.RespectRetryAfter == requests.On
	out["allowed_methods"] = slices.Sorted(slices.Values(r.AllowedMethods))
	out["status_forcelist"] = append([]int{}, r.StatusForcelist...)
	out["remove_headers_on_redirect"] = r.RemoveHeadersOnRedirect
	out["backoff_factor"], out["backoff_max"] = r.BackoffFactor.Seconds(), r.BackoffMax.Seconds()
	out["backoff_jitter"], out["retry_after_max"] = r.BackoffJitter.Seconds(), r.RetryAfterMax.Seconds()
	out["repr"] = r.String()
	return out
}
