package requests

import (
	"fmt"
	"log/slog"

	"github.com/mountable/requests/internal/secret"
)

// Format writes the session's size, not what is in it, whatever the verb.
func (s *Session) Format(f fmt.State, verb rune) { secret.Format(f, verb, s.shown()) }

// LogValue returns what Format writes.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (s *Session) MarshalJSON() ([]byte, error) { return secret.MarshalText(s.shown()) }

// Format writes the method and the URL, user info and secret parameters masked, whatever the verb.
func (r Request) Format(f fmt.State, verb rune) { secret.Format(f, verb, r.shown()) }

// LogValue returns what Format writes.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (r Request) MarshalJSON() ([]byte, error) { return secret.MarshalText(r.shown()) }

// Format writes the method and the URL, user info and secret parameters masked, whatever the verb.
func (p PreparedRequest) Format(f fmt.State, verb rune) { secret.Format(f, verb, p.shown()) }

// LogValue returns what Format writes.
func (p PreparedRequest) LogValue() slog.Value { return slog.StringValue(p.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (p PreparedRequest) MarshalJSON() ([]byte, error) { return secret.MarshalText(p.shown()) }

// Format writes "<Response [200]>", whatever the verb.
func (r Response) Format(f fmt.State, verb rune) { secret.Format(f, verb, r.shown()) }

// LogValue returns what Format writes.
func (r Response) LogValue() slog.Value { return slog.StringValue(r.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (r Response) MarshalJSON() ([]byte, error) { return secret.MarshalText(r.shown()) }

// Format writes the status, whatever the verb.
func (x AuthExchange) Format(f fmt.State, verb rune) { secret.Format(f, verb, x.shown()) }

// LogValue returns what Format writes.
func (x AuthExchange) LogValue() slog.Value { return slog.StringValue(x.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (x AuthExchange) MarshalJSON() ([]byte, error) { return secret.MarshalText(x.shown()) }

// Format writes the options, the credentials of proxies masked, whatever the verb.
func (o SendOptions) Format(f fmt.State, verb rune) { secret.Format(f, verb, o.shown()) }

// LogValue returns what Format writes.
func (o SendOptions) LogValue() slog.Value { return slog.StringValue(o.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (o SendOptions) MarshalJSON() ([]byte, error) { return secret.MarshalText(o.shown()) }

// Format writes the name and whom it is for, not the value, whatever the verb.
func (c Cookie) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }

// LogValue returns what Format writes.
func (c Cookie) LogValue() slog.Value { return slog.StringValue(c.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (c Cookie) MarshalJSON() ([]byte, error) { return secret.MarshalText(c.shown()) }

// Format writes the files, never a password or a key, whatever the verb.
func (c Certificate) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }

// LogValue returns what Format writes.
func (c Certificate) LogValue() slog.Value { return slog.StringValue(c.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (c Certificate) MarshalJSON() ([]byte, error) { return secret.MarshalText(c.shown()) }

// Format writes the fields, the values of secret ones masked, whatever the verb.
func (h ProxyFields) Format(f fmt.State, verb rune) { secret.Format(f, verb, h.shown()) }

// LogValue returns what Format writes.
func (h ProxyFields) LogValue() slog.Value { return slog.StringValue(h.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (h ProxyFields) MarshalJSON() ([]byte, error) { return secret.MarshalText(h.shown()) }

// Format writes the proxy, without credentials, whatever the verb.
func (c ProxyConfig) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }

// LogValue returns what Format writes.
func (c ProxyConfig) LogValue() slog.Value { return slog.StringValue(c.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (c ProxyConfig) MarshalJSON() ([]byte, error) { return secret.MarshalText(c.shown()) }

// Format writes the settings, but for the certificate's key, whatever the verb.
func (c TLSConfig) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }

// LogValue returns what Format writes.
func (c TLSConfig) LogValue() slog.Value { return slog.StringValue(c.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (c TLSConfig) MarshalJSON() ([]byte, error) { return secret.MarshalText(c.shown()) }

// Format writes where the connection goes, without credentials, whatever the verb.
func (c ConnConfig) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.String()) }

// LogValue returns what Format writes.
func (c ConnConfig) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON writes what Format writes, as a string.
func (c ConnConfig) MarshalJSON() ([]byte, error) { return secret.MarshalText(c.String()) }

// Format writes what String returns, whatever the verb.
func (d ProxyDecision) Format(f fmt.State, verb rune) { secret.Format(f, verb, d.String()) }

// LogValue returns what Format writes.
func (d ProxyDecision) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalJSON writes what Format writes, as a string.
func (d ProxyDecision) MarshalJSON() ([]byte, error) { return secret.MarshalText(d.String()) }

// Format writes the user's name, whatever the verb.
func (b Basic) Format(f fmt.State, verb rune) { secret.Format(f, verb, b.shown()) }

// LogValue returns what Format writes.
func (b Basic) LogValue() slog.Value { return slog.StringValue(b.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (b Basic) MarshalJSON() ([]byte, error) { return secret.MarshalText(b.shown()) }

// Format writes the user's name, whatever the verb.
func (b ProxyBasic) Format(f fmt.State, verb rune) { secret.Format(f, verb, b.shown()) }

// LogValue returns what Format writes.
func (b ProxyBasic) LogValue() slog.Value { return slog.StringValue(b.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (b ProxyBasic) MarshalJSON() ([]byte, error) { return secret.MarshalText(b.shown()) }

// Format writes the scheme, whatever the verb.
func (b Bearer) Format(f fmt.State, verb rune) { secret.Format(f, verb, b.shown()) }

// LogValue returns what Format writes.
func (b Bearer) LogValue() slog.Value { return slog.StringValue(b.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (b Bearer) MarshalJSON() ([]byte, error) { return secret.MarshalText(b.shown()) }

// Format writes the user's name, whatever the verb.
func (d *Digest) Format(f fmt.State, verb rune) { secret.Format(f, verb, d.shown()) }

// LogValue returns what Format writes.
func (d *Digest) LogValue() slog.Value { return slog.StringValue(d.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (d *Digest) MarshalJSON() ([]byte, error) { return secret.MarshalText(d.shown()) }

// Format writes the type's name, whatever the verb.
func (a *Refresh) Format(f fmt.State, verb rune) { secret.Format(f, verb, "Refresh") }

// LogValue returns what Format writes.
func (a *Refresh) LogValue() slog.Value { return slog.StringValue("Refresh") }

// MarshalJSON writes what Format writes, as a string.
func (a *Refresh) MarshalJSON() ([]byte, error) { return secret.MarshalText("Refresh") }

// Format writes the challenge, its token masked, whatever the verb.
func (c Challenge) Format(f fmt.State, verb rune) { secret.Format(f, verb, c.shown()) }

// LogValue returns what Format writes.
func (c Challenge) LogValue() slog.Value { return slog.StringValue(c.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (c Challenge) MarshalJSON() ([]byte, error) { return secret.MarshalText(c.shown()) }

// Format writes what String returns, whatever the verb.
func (a *HTTPAdapter) Format(f fmt.State, verb rune) { secret.Format(f, verb, a.String()) }

// LogValue returns what Format writes.
func (a *HTTPAdapter) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalJSON writes what Format writes, as a string.
func (a *HTTPAdapter) MarshalJSON() ([]byte, error) { return secret.MarshalText(a.String()) }

// Format writes what String returns, whatever the verb.
func (a Attempt) Format(f fmt.State, verb rune) { secret.Format(f, verb, a.String()) }

// LogValue returns what Format writes.
func (a Attempt) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalJSON writes what Format writes, as a string.
func (a Attempt) MarshalJSON() ([]byte, error) { return secret.MarshalText(a.String()) }

// Format writes the counts and the tries, whatever the verb.
func (s RetryState) Format(f fmt.State, verb rune) { secret.Format(f, verb, s.shown()) }

// LogValue returns what Format writes.
func (s RetryState) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (s RetryState) MarshalJSON() ([]byte, error) { return secret.MarshalText(s.shown()) }

// Format writes the names, not the content, whatever the verb.
func (f File) Format(s fmt.State, verb rune) { secret.Format(s, verb, f.shown()) }

// LogValue returns what Format writes.
func (f File) LogValue() slog.Value { return slog.StringValue(f.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (f File) MarshalJSON() ([]byte, error) { return secret.MarshalText(f.shown()) }

// Format writes what Error returns, whatever the verb.
func (e *Error) Format(f fmt.State, verb rune) { secret.Format(f, verb, e.Error()) }

// LogValue returns what Format writes.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// MarshalJSON writes what Format writes, as a string.
func (e *Error) MarshalJSON() ([]byte, error) { return secret.MarshalText(e.Error()) }

// Format writes what Error returns, whatever the verb.
func (e *MaxRetryError) Format(f fmt.State, verb rune) { secret.Format(f, verb, e.shown()) }

// LogValue returns what Format writes.
func (e *MaxRetryError) LogValue() slog.Value { return slog.StringValue(e.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (e *MaxRetryError) MarshalJSON() ([]byte, error) { return secret.MarshalText(e.shown()) }

// Format writes how many cookies there are.
func (j *CookieJar) Format(f fmt.State, verb rune) { secret.Format(f, verb, j.shown()) }

// LogValue returns what Format writes.
func (j *CookieJar) LogValue() slog.Value { return slog.StringValue(j.shown()) }
