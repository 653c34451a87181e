package adapters

import (
	"cmp"
	"fmt"
	"log/slog"

	"github.com/mountable/requests/internal/secret"
)

// How values show that may hold credentials: as in package requests.

func (s Sent) shown() string {
	return secret.Clean("<Sent [" + s.Method + " " + secret.URL(s.URL) + "]>")
}

func (r Reply) shown() string {
	if r.Err != nil {
		return secret.Clean(fmt.Sprintf("<Reply [%v]>", r.Err))
	}
	return fmt.Sprintf("<Reply [%d]>", cmp.Or(r.Status, 200))
}

// String tells how much is expected and was sent.
func (m *Mock) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("<Mock [%d expected, %d sent]>", len(m.expected), len(m.sent))
}

// Format writes how much is expected and was sent, whatever the verb.
func (m *Mock) Format(f fmt.State, verb rune) { secret.Format(f, verb, m.String()) }

// LogValue returns what Format writes.
func (m *Mock) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalJSON writes what Format writes, as a string.
func (m *Mock) MarshalJSON() ([]byte, error) { return secret.MarshalText(m.String()) }

// Format writes the method, the URL and what is compared, secrets masked, whatever the verb.
func (e Expectation) Format(f fmt.State, verb rune) { secret.Format(f, verb, e.shown()) }

// LogValue returns what Format writes.
func (e Expectation) LogValue() slog.Value { return slog.StringValue(e.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (e Expectation) MarshalJSON() ([]byte, error) { return secret.MarshalText(e.shown()) }

// Format writes the method and the URL, user info and secret parameters masked, whatever the verb.
func (s Sent) Format(f fmt.State, verb rune) { secret.Format(f, verb, s.shown()) }

// LogValue returns what Format writes.
func (s Sent) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (s Sent) MarshalJSON() ([]byte, error) { return secret.MarshalText(s.shown()) }

// Format writes what is compared, secrets masked, whatever the verb.
func (m Match) Format(f fmt.State, verb rune) { secret.Format(f, verb, m.shown()) }

// LogValue returns what Format writes.
func (m Match) LogValue() slog.Value { return slog.StringValue(m.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (m Match) MarshalJSON() ([]byte, error) { return secret.MarshalText(m.shown()) }

// Format writes the status, or the error, whatever the verb.
func (r Reply) Format(f fmt.State, verb rune) { secret.Format(f, verb, r.shown()) }

// LogValue returns what Format writes.
func (r Reply) LogValue() slog.Value { return slog.StringValue(r.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (r Reply) MarshalJSON() ([]byte, error) { return secret.MarshalText(r.shown()) }
