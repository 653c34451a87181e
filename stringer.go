package requests

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/secret"
)

// How values show. Every type that may hold credentials has three methods: Format, so that no verb of package fmt walks
// through its fields; LogValue, for log/slog; and, unless JSON is what it is for, MarshalJSON. Methods of values serve
// pointers as well; what has them on its pointer may need String, for text/template, which looks behind pointers else.
// TestSecretTypes has a row for each exported type.

// AddSecretNames makes further names of headers, parameters, form, JSON and XML fields
// secret for the whole process: their values are masked in errors, printed values, logs,
// dumps and cassettes, as those of the usual names are. Letter case does not matter, nor
// how words are joined. It is safe for concurrent use.
func AddSecretNames(names ...string) { secret.Add(names...) }

// Secret is a string that is not shown: package fmt, log/slog and encoding/json write
// "***" for it, a body of [JSON] too, and nothing for an empty one. string(s) is the value, which
// FormFrom, ParamsFrom and Path send; JSON is read into it as into a string.
type Secret string

func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return secret.Mask
}

// Format and LogValue write the mask.
func (s Secret) Format(f fmt.State, verb rune) { secret.Format(f, verb, s.shown()) }
func (s Secret) LogValue() slog.Value          { return slog.StringValue(s.shown()) }

// MarshalText and MarshalJSON return the mask, for JSON, XML and whatever else asks.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }
func (s Secret) MarshalJSON() ([]byte, error) { return secret.MarshalText(s.shown()) }

// redactURL masks what is secret in a URL that is shown.
func redactURL(url string) string { return secret.URL(url) }

func (h Headers) masked() [][2]string {
	if h == nil {
		return nil
	}
	return secret.Default().Fields(h)
}

// Format and LogValue write the fields, MarshalJSON a list of pairs; the values of Cookie and other secret ones are masked.
func (h Headers) Format(f fmt.State, verb rune) { secret.Format(f, verb, secret.PairsText(h.masked())) }
func (h Headers) LogValue() slog.Value          { return slog.StringValue(secret.PairsText(h.masked())) }
func (h Headers) MarshalJSON() ([]byte, error)  { return json.Marshal(h.masked()) }

func (p Params) masked() [][2]string { return secret.MaskPairs(p, secret.Is) }

// Format and LogValue write the params, MarshalJSON a list of pairs; the values of "token" and the like are masked.
func (p Params) Format(f fmt.State, verb rune) { secret.Format(f, verb, secret.PairsText(p.masked())) }
func (p Params) LogValue() slog.Value          { return slog.StringValue(secret.PairsText(p.masked())) }
func (p Params) MarshalJSON() ([]byte, error)  { return json.Marshal(p.masked()) }

func (d Form) masked() [][2]string { return secret.MaskPairs(d, secret.Is) }

// Format and LogValue write the fields, MarshalJSON a list of pairs; the values of "password" and the like are masked.
func (d Form) Format(f fmt.State, verb rune) { secret.Format(f, verb, secret.PairsText(d.masked())) }
func (d Form) LogValue() slog.Value          { return slog.StringValue(secret.PairsText(d.masked())) }
func (d Form) MarshalJSON() ([]byte, error)  { return json.Marshal(d.masked()) }

func (c Cookies) masked() [][2]string { return secret.MaskPairs(c, func(string) bool { return true }) }

// Format and LogValue write the names, MarshalJSON a list of pairs; all values are masked.
func (c Cookies) Format(f fmt.State, verb rune) { secret.Format(f, verb, secret.PairsText(c.masked())) }
func (c Cookies) LogValue() slog.Value          { return slog.StringValue(secret.PairsText(c.masked())) }
func (c Cookies) MarshalJSON() ([]byte, error)  { return json.Marshal(c.masked()) }

func (p Proxies) masked() map[string]string {
	m := maps.Clone(p)
	for key, url := range m {
		m[key] = redactURL(url)
	}
	return m
}

func (p Proxies) shown() string { return cleanText(fmt.Sprint(p.masked())) }

// Format, LogValue and MarshalJSON write the proxies, user info masked.
func (p Proxies) Format(f fmt.State, verb rune) { secret.Format(f, verb, p.shown()) }
func (p Proxies) LogValue() slog.Value          { return slog.StringValue(p.shown()) }
func (p Proxies) MarshalJSON() ([]byte, error)  { return json.Marshal(p.masked()) }

// String describes s, without its values.
func (s *Session) String() string {
	if s == nil {
		return "<nil>"
	}
	return fmt.Sprintf("<Session [%d adapters, %d cookies]>", len(s.mounts.All()), s.Cookies.Len())
}

func requestText(what, method, url string) string {
	if method == "" {
		method = "GET"
	}
	return cleanText(fmt.Sprintf("<%s [%s %s]>", what, method, redactURL(url)))
}

func (r Request) shown() string         { return requestText("Request", r.Method, r.URL) }
func (p PreparedRequest) shown() string { return requestText("PreparedRequest", p.Method, p.URL) }
func (r Response) shown() string        { return fmt.Sprintf("<Response [%d]>", r.StatusCode) }
func (x AuthExchange) shown() string    { return fmt.Sprintf("AuthExchange(%v)", x.response) }
func (h ProxyFields) shown() string     { return fmt.Sprint(h.All()) }
func (b Basic) shown() string           { return "Basic(" + cleanText(b.Username) + ")" }
func (b ProxyBasic) shown() string      { return "ProxyBasic(" + cleanText(b.Username) + ")" }
func (b Bearer) shown() string          { return "Bearer" }
func (j *CookieJar) shown() string      { return fmt.Sprintf("<CookieJar [%d]>", j.Len()) }
func (e *MaxRetryError) shown() string  { return cleanText(e.Error()) }

func (c Cookie) shown() string {
	return cleanText(fmt.Sprintf("<Cookie %s for %s%s>", c.Name, c.Domain, c.Path))
}

func (o SendOptions) shown() string {
	return fmt.Sprintf("{Stream:%v Redirects:%v Timeouts:%+v Verify:%v Cert:%v Proxies:%v Deadline:%v}",
		o.Stream, o.Redirects, o.Timeouts, o.Verify, o.Cert, o.Proxies, o.Deadline)
}

func (c ProxyConfig) shown() string {
	if c.Scheme == "" {
		return "none"
	}
	return c.Scheme + "://" + ascii.JoinHostPort(c.Host, c.Port)
}

func (c TLSConfig) shown() string {
	return fmt.Sprintf("{ServerName:%s VerifyName:%s Verify:%v Cert:%v MinVersion:%#x MaxVersion:%#x Fingerprint:%x KeyLogFile:%s}",
		c.ServerName, c.VerifyName, c.Verify, c.Cert, c.MinVersion, c.MaxVersion, c.Fingerprint, c.KeyLogFile)
}

func (f File) shown() string { return cleanText(fmt.Sprintf("<File %s %q>", f.Field, f.Name)) }

func (s RetryState) shown() string { return fmt.Sprintf("%v after %v", s.Left, s.History) }

func (c Challenge) shown() string {
	if c.Token != "" {
		return c.Scheme + " " + secret.Mask
	}
	return c.Scheme + " " + secret.PairsText(secret.MaskPairs(c.Params, secret.Is))
}

// String names the state.
func (t Toggle) String() string {
	return [...]string{"Inherit", "On", "Off"}[t%3]
}

func (t sessionTransport) shown() string { return "RoundTripper(" + t.session.String() + ")" }
func (t adapterTransport) shown() string { return fmt.Sprintf("RoundTripper(%v)", t.adapter) }

// Format names the session, or the adapter.
func (t sessionTransport) Format(f fmt.State, verb rune) { secret.Format(f, verb, t.shown()) }
func (t adapterTransport) Format(f fmt.State, verb rune) { secret.Format(f, verb, t.shown()) }

// Format, LogValue and MarshalJSON write the session's size, not what is in it.
func (s *Session) Format(f fmt.State, verb rune) { secret.Format(f, verb, s.String()) }
func (s *Session) LogValue() slog.Value          { return slog.StringValue(s.String()) }
func (s *Session) MarshalJSON() ([]byte, error)  { return secret.MarshalText(s.String()) }

// Format, LogValue and MarshalJSON write the method and the URL, what is secret in it masked.
func (r Request) Format(f fmt.State, verb rune) { secret.Format(f, verb, r.shown()) }
func (r Request) LogValue() slog.Value          { return slog.StringValue(r.shown()) }
func (r Request) MarshalJSON() ([]byte, error)  { return secret.MarshalText(r.shown()) }

// Format, LogValue and MarshalJSON write the method and the URL, what is secret in it masked.
func (p PreparedRequest) Format(f fmt.State, verb rune) { secret.Format(f, verb, p.shown()) }
func (p PreparedRequest) LogValue() slog.Value          { return slog.StringValue(p.shown()) }
func (p PreparedRequest) MarshalJSON() ([]byte, error)  { return secret.MarshalText(p.shown()) }

// Format, LogValue and MarshalJSON write "<Response [200]>".
func (r Response) Format(f fmt.State, verb rune) { secret.Format(f, verb, r.shown()) }
func (r Response) LogValue() slog.Value          { return slog.StringValue(r.shown()) }
func (r Response) MarshalJSON() ([]byte, error)  { return secret.MarshalText(r.shown()) }

// Format, LogValue and MarshalJSON write the status.
func (x AuthExchange) Format(f fmt.State, verb rune) { secret.Format(f, verb, x.shown()) }
func (x AuthExchange) LogValue() slog.Value          { return slog.StringValue(x.shown()) }
func (x AuthExchange) MarshalJSON() ([]byte, error)  { return secret.MarshalText(x.shown()) }

// Format, LogValue and MarshalJSON write the options, the credentials of proxies masked.
func (o SendOptions) Format(f fmt.State, verb rune) { secret.Format(f, verb, o.shown()) }
func (o SendOptions) LogValue() slog.Value          { return slog.StringValue(o.shown()) }
func (o SendOptions) MarshalJSON() ([]byte, error)  { return secret.MarshalText(o.shown()) }

// Format, LogValue and MarshalJSON write the name and whom it is for, not the value.
func (c Cookie) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }
func (c Cookie) LogValue() slog.Value          { return slog.StringValue(c.shown()) }
func (c Cookie) MarshalJSON() ([]byte, error)  { return secret.MarshalText(c.shown()) }

// Format, LogValue and MarshalJSON write the files, never a password or a key.
func (c Certificate) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }
func (c Certificate) LogValue() slog.Value          { return slog.StringValue(c.shown()) }
func (c Certificate) MarshalJSON() ([]byte, error)  { return secret.MarshalText(c.shown()) }

// Format, LogValue and MarshalJSON write the fields, the values of secret ones masked.
func (h ProxyFields) Format(f fmt.State, verb rune) { secret.Format(f, verb, h.shown()) }
func (h ProxyFields) LogValue() slog.Value          { return slog.StringValue(h.shown()) }
func (h ProxyFields) MarshalJSON() ([]byte, error)  { return secret.MarshalText(h.shown()) }

// Format, LogValue and MarshalJSON write the proxy, without credentials.
func (c ProxyConfig) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }
func (c ProxyConfig) LogValue() slog.Value          { return slog.StringValue(c.shown()) }
func (c ProxyConfig) MarshalJSON() ([]byte, error)  { return secret.MarshalText(c.shown()) }

// Format, LogValue and MarshalJSON write the settings, but for the certificate's key.
func (c TLSConfig) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }
func (c TLSConfig) LogValue() slog.Value          { return slog.StringValue(c.shown()) }
func (c TLSConfig) MarshalJSON() ([]byte, error)  { return secret.MarshalText(c.shown()) }

// Format, LogValue and MarshalJSON write where the connection goes, without credentials.
func (c ConnConfig) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }
func (c ConnConfig) LogValue() slog.Value          { return slog.StringValue(c.shown()) }
func (c ConnConfig) MarshalJSON() ([]byte, error)  { return secret.MarshalText(c.shown()) }

// Format, LogValue and MarshalJSON write the decision in a line, user info masked.
func (d ProxyDecision) Format(f fmt.State, verb rune) { secret.Format(f, verb, d.shown()) }
func (d ProxyDecision) LogValue() slog.Value          { return slog.StringValue(d.shown()) }
func (d ProxyDecision) MarshalJSON() ([]byte, error)  { return secret.MarshalText(d.shown()) }

// Format, LogValue and MarshalJSON write the user's name.
func (b Basic) Format(f fmt.State, verb rune) { secret.Format(f, verb, b.shown()) }
func (b Basic) LogValue() slog.Value          { return slog.StringValue(b.shown()) }
func (b Basic) MarshalJSON() ([]byte, error)  { return secret.MarshalText(b.shown()) }

// Format, LogValue and MarshalJSON write the user's name.
func (b ProxyBasic) Format(f fmt.State, verb rune) { secret.Format(f, verb, b.shown()) }
func (b ProxyBasic) LogValue() slog.Value          { return slog.StringValue(b.shown()) }
func (b ProxyBasic) MarshalJSON() ([]byte, error)  { return secret.MarshalText(b.shown()) }

// Format, LogValue and MarshalJSON write the scheme.
func (b Bearer) Format(f fmt.State, verb rune) { secret.Format(f, verb, b.shown()) }
func (b Bearer) LogValue() slog.Value          { return slog.StringValue(b.shown()) }
func (b Bearer) MarshalJSON() ([]byte, error)  { return secret.MarshalText(b.shown()) }

// String, Format, LogValue and MarshalJSON write the user's name.
func (d *Digest) String() string                { return "Digest(" + cleanText(d.user) + ")" }
func (d *Digest) Format(f fmt.State, verb rune) { secret.Format(f, verb, d.String()) }
func (d *Digest) LogValue() slog.Value          { return slog.StringValue(d.String()) }
func (d *Digest) MarshalJSON() ([]byte, error)  { return secret.MarshalText(d.String()) }

// String, Format, LogValue and MarshalJSON write the type's name.
func (a *Refresh) String() string                { return "Refresh" }
func (a *Refresh) Format(f fmt.State, verb rune) { secret.Format(f, verb, "Refresh") }
func (a *Refresh) LogValue() slog.Value          { return slog.StringValue("Refresh") }
func (a *Refresh) MarshalJSON() ([]byte, error)  { return secret.MarshalText("Refresh") }

// Format, LogValue and MarshalJSON write the challenge, its token masked.
func (c Challenge) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }
func (c Challenge) LogValue() slog.Value          { return slog.StringValue(c.shown()) }
func (c Challenge) MarshalJSON() ([]byte, error)  { return secret.MarshalText(c.shown()) }

// Format, LogValue and MarshalJSON write each pool key with its connections, without credentials.
func (a *HTTPAdapter) Format(f fmt.State, verb rune) { secret.Format(f, verb, a.shown()) }
func (a *HTTPAdapter) LogValue() slog.Value          { return slog.StringValue(a.shown()) }
func (a *HTTPAdapter) MarshalJSON() ([]byte, error)  { return secret.MarshalText(a.shown()) }

// Format, LogValue and MarshalJSON write the try and how it ended, secrets of the URL masked.
func (a Attempt) Format(f fmt.State, verb rune) { secret.Format(f, verb, a.shown()) }
func (a Attempt) LogValue() slog.Value          { return slog.StringValue(a.shown()) }
func (a Attempt) MarshalJSON() ([]byte, error)  { return secret.MarshalText(a.shown()) }

// Format, LogValue and MarshalJSON write the counts and the tries.
func (s RetryState) Format(f fmt.State, verb rune) { secret.Format(f, verb, s.shown()) }
func (s RetryState) LogValue() slog.Value          { return slog.StringValue(s.shown()) }
func (s RetryState) MarshalJSON() ([]byte, error)  { return secret.MarshalText(s.shown()) }

// Format, LogValue and MarshalJSON write the names, not the content.
func (f File) Format(s fmt.State, verb rune) { secret.Format(s, verb, f.shown()) }
func (f File) LogValue() slog.Value          { return slog.StringValue(f.shown()) }
func (f File) MarshalJSON() ([]byte, error)  { return secret.MarshalText(f.shown()) }

// Format, LogValue and MarshalJSON write what Error returns.
func (e *Error) Format(f fmt.State, verb rune) { secret.Format(f, verb, e.Error()) }
func (e *Error) LogValue() slog.Value          { return slog.StringValue(e.Error()) }
func (e *Error) MarshalJSON() ([]byte, error)  { return secret.MarshalText(e.Error()) }

// Format, LogValue and MarshalJSON write what Error returns.
func (p Problem) Format(f fmt.State, verb rune) { secret.Format(f, verb, p.Error()) }
func (p Problem) LogValue() slog.Value          { return slog.StringValue(p.Error()) }
func (p Problem) MarshalJSON() ([]byte, error)  { return secret.MarshalText(p.Error()) }

// Format, LogValue and MarshalJSON write what Error returns.
func (e *MaxRetryError) Format(f fmt.State, verb rune) { secret.Format(f, verb, e.shown()) }
func (e *MaxRetryError) LogValue() slog.Value          { return slog.StringValue(e.shown()) }
func (e *MaxRetryError) MarshalJSON() ([]byte, error)  { return secret.MarshalText(e.shown()) }

// Format and LogValue write how many cookies there are.
func (j *CookieJar) Format(f fmt.State, verb rune) { secret.Format(f, verb, j.shown()) }
func (j *CookieJar) LogValue() slog.Value          { return slog.StringValue(j.shown()) }
