package toolbelt

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/mountable/requests/internal/secret"
)

// How values show that may hold credentials: as in package requests.

func (g *Guess) shown() string       { return "Guess" }
func (g *GuessProxy) shown() string  { return "GuessProxy" }
func (d *ProxyDigest) shown() string { return fmt.Sprintf("Proxy%v", d.Digest) }

// String is the type's name: domains may hold user info.
func (h *AuthHandler) String() string { return "AuthHandler" }

func (m Monitor) shown() string {
	return fmt.Sprintf("<Monitor [%d of %d bytes]>", m.read, m.read+m.body.Len())
}
func (p StreamedPart) shown() string { return fmt.Sprintf("<StreamedPart %v>", p.Headers) }
func (p *Pool) shown() string        { return fmt.Sprintf("<Pool [%d workers]>", p.workers) }
func (d Fields) shown() string       { return fmt.Sprint([]Field(d)) }
func (p BodyPart) shown() string     { return fmt.Sprintf("<BodyPart [%d bytes]>", len(p.Content)) }
func (f URLFile) shown() string      { return "<URLFile " + secret.Clean(secret.URL(f.url)) + ">" }

func (e MultipartEncoder) shown() string {
	return fmt.Sprintf("<MultipartEncoder: %d fields, %d bytes>", e.fields, e.length)
}

func (d Field) shown() string {
	return secret.Clean(fmt.Sprintf("<Field %s %v %q>", d.Name, shownValue(d.Name, d.Value), d.Filename))
}

// shownValue shows text and numbers that are not secret; else what kind of value there is.
func shownValue(name string, value any) string {
	switch value.(type) {
	case string, Path, bool, int, int64, float64:
		if !secret.Is(name) {
			return fmt.Sprint(value)
		}
		return secret.Mask
	}
	return fmt.Sprintf("(%T)", value)
}

// form returns the flat form, whose values are masked when it is shown.
func (d FormData) form() any {
	form, err := d.flatten()
	if err != nil {
		return "<FormData>"
	}
	return form
}

// Format writes nothing but its type, whatever the verb.
func (g *Guess) Format(f fmt.State, verb rune) { secret.Format(f, verb, g.shown()) }

// LogValue returns what Format writes.
func (g *Guess) LogValue() slog.Value { return slog.StringValue(g.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (g *Guess) MarshalJSON() ([]byte, error) { return secret.MarshalText(g.shown()) }

// Format writes nothing but its type, whatever the verb.
func (g *GuessProxy) Format(f fmt.State, verb rune) { secret.Format(f, verb, g.shown()) }

// LogValue returns what Format writes.
func (g *GuessProxy) LogValue() slog.Value { return slog.StringValue(g.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (g *GuessProxy) MarshalJSON() ([]byte, error) { return secret.MarshalText(g.shown()) }

// Format writes the user's name, whatever the verb.
func (d *ProxyDigest) Format(f fmt.State, verb rune) { secret.Format(f, verb, d.shown()) }

// LogValue returns what Format writes.
func (d *ProxyDigest) LogValue() slog.Value { return slog.StringValue(d.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (d *ProxyDigest) MarshalJSON() ([]byte, error) { return secret.MarshalText(d.shown()) }

// Format writes nothing but its type, whatever the verb.
func (h *AuthHandler) Format(f fmt.State, verb rune) { secret.Format(f, verb, h.String()) }

// LogValue returns what Format writes.
func (h *AuthHandler) LogValue() slog.Value { return slog.StringValue(h.String()) }

// MarshalJSON writes what Format writes, as a string.
func (h *AuthHandler) MarshalJSON() ([]byte, error) { return secret.MarshalText(h.String()) }

// Format writes the size of the content, whatever the verb.
func (p BodyPart) Format(f fmt.State, verb rune) { secret.Format(f, verb, p.shown()) }

// LogValue returns what Format writes.
func (p BodyPart) LogValue() slog.Value { return slog.StringValue(p.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (p BodyPart) MarshalJSON() ([]byte, error) { return secret.MarshalText(p.shown()) }

// Format writes the URL, user info and secret parameters masked, whatever the verb.
func (f URLFile) Format(s fmt.State, verb rune) { secret.Format(s, verb, f.shown()) }

// LogValue returns what Format writes.
func (f URLFile) LogValue() slog.Value { return slog.StringValue(f.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (f URLFile) MarshalJSON() ([]byte, error) { return secret.MarshalText(f.shown()) }

// Format writes the size, without reading anything, whatever the verb.
func (e MultipartEncoder) Format(f fmt.State, verb rune) { secret.Format(f, verb, e.shown()) }

// LogValue returns what Format writes.
func (e MultipartEncoder) LogValue() slog.Value { return slog.StringValue(e.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (e MultipartEncoder) MarshalJSON() ([]byte, error) { return secret.MarshalText(e.shown()) }

// Format writes the names, and a value that is not secret, whatever the verb.
func (d Field) Format(f fmt.State, verb rune) { secret.Format(f, verb, d.shown()) }

// LogValue returns what Format writes.
func (d Field) LogValue() slog.Value { return slog.StringValue(d.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (d Field) MarshalJSON() ([]byte, error) { return secret.MarshalText(d.shown()) }

// Format writes the flat form, the values of secret fields masked.
func (d FormData) Format(f fmt.State, verb rune) { secret.Format(f, verb, fmt.Sprint(d.form())) }

// LogValue returns what Format writes.
func (d FormData) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(d.form())) }

// MarshalJSON writes the flat form as a list of pairs, the values of secret fields masked.
func (d FormData) MarshalJSON() ([]byte, error) { return json.Marshal(d.form()) }

// Format writes how much has been read of what, whatever the verb.
func (m Monitor) Format(f fmt.State, verb rune) { secret.Format(f, verb, m.shown()) }

// LogValue returns what Format writes.
func (m Monitor) LogValue() slog.Value { return slog.StringValue(m.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (m Monitor) MarshalJSON() ([]byte, error) { return secret.MarshalText(m.shown()) }

// Format writes the header fields, the values of secret ones masked, whatever the verb.
func (p StreamedPart) Format(f fmt.State, verb rune) { secret.Format(f, verb, p.shown()) }

// LogValue returns what Format writes.
func (p StreamedPart) LogValue() slog.Value { return slog.StringValue(p.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (p StreamedPart) MarshalJSON() ([]byte, error) { return secret.MarshalText(p.shown()) }

// Format writes the number of workers, whatever the verb.
func (p *Pool) Format(f fmt.State, verb rune) { secret.Format(f, verb, p.shown()) }

// LogValue returns what Format writes.
func (p *Pool) LogValue() slog.Value { return slog.StringValue(p.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (p *Pool) MarshalJSON() ([]byte, error) { return secret.MarshalText(p.shown()) }

// Format writes the fields, the values of secret ones masked, whatever the verb.
func (d Fields) Format(f fmt.State, verb rune) { secret.Format(f, verb, d.shown()) }

// LogValue returns what Format writes.
func (d Fields) LogValue() slog.Value { return slog.StringValue(d.shown()) }

// MarshalJSON writes what Format writes, as a string.
func (d Fields) MarshalJSON() ([]byte, error) { return secret.MarshalText(d.shown()) }

func (h *HAR) shown() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("<HAR [%d entries]>", len(h.entries))
}

// Format writes the number of entries, whatever the verb.
func (h *HAR) Format(f fmt.State, verb rune) { secret.Format(f, verb, h.shown()) }

// LogValue returns what Format writes.
func (h *HAR) LogValue() slog.Value { return slog.StringValue(h.shown()) }

// MarshalJSON writes what Format writes, as a string: Save writes the archive.
func (h *HAR) MarshalJSON() ([]byte, error) { return secret.MarshalText(h.shown()) }
