package parity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/toolbelt"
)

// dispositionCase is a Content-Disposition field and the file name in it, or an attack and what a safe name keeps to.
type dispositionCase struct {
	Value      string          `json:"value"`
	Encoding   string          `json:"header_encoding"`
	Filename   json.RawMessage `json:"expected_filename"`
	Either     []*string       `json:"either"`
	Attack     string          `json:"attack"`
	Properties struct {
		Component   bool `json:"single_component"`
		NotEmpty    bool `json:"not_empty"`
		NotDots     bool `json:"not_dot_or_dotdot"`
		NoControls  bool `json:"no_control_chars"`
		MaxBytes    int  `json:"max_bytes"`
		WindowsSafe bool `json:"windows_safe"`
	} `json:"properties"`
}

// TestDisposition reads file names out of Content-Disposition, and makes safe ones of hostile ones.
func TestDisposition(t *testing.T) {
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	cases.Corpus(t, "disposition.json", &file)
	tl := newTally(t)
	for _, raw := range file.Cases {
		runCase(t, tl, "disposition", caseID(t, raw), raw, func(_ *testing.T, c dispositionCase) string { return c.run() })
	}
}

func (c *dispositionCase) header() string {
	if c.Encoding == "latin1" {
		return unlatin1(c.Value)
	}
	return c.Value
}

func (c *dispositionCase) run() string {
	name, ok := toolbelt.Filename(c.header())
	if c.Attack != "" {
		return c.attack(name)
	}
	got := orNull(name, ok)
	want := c.Either
	if c.Filename != nil {
		var one *string
		if err := json.Unmarshal(c.Filename, &one); err != nil {
			return err.Error()
		}
		want = []*string{one}
	}
	for _, w := range want {
		if w == nil && got == nil || w != nil && got == *w {
			return ""
		}
	}
	shown, _ := json.Marshal(want)
	return fmt.Sprintf("%s: got %q, want one of %s", c.Value, got, shown)
}

// attack checks the name that a file would be given; no name at all is as good.
func (c *dispositionCase) attack(name string) string {
	safe, ok := toolbelt.SafeFilename(name)
	if !ok {
		return ""
	}
	p := c.Properties
	rules := []struct {
		on     bool
		broken bool
		what   string
	}{
		{p.Component, strings.ContainsAny(safe, `/\`), "has a separator"},
		{p.NotEmpty, safe == "", "is empty"},
		{p.NotDots, safe == "." || safe == "..", "is a directory"},
		{p.NoControls, strings.ContainsFunc(safe, unicode.IsControl), "has control characters"},
		{p.MaxBytes > 0, len(safe) > p.MaxBytes, "is too long"},
		{p.WindowsSafe, windowsUnsafe(safe), "is no name for Windows"},
	}
	for _, r := range rules {
		if r.on && r.broken {
			return fmt.Sprintf("%s: %q is saved as %q, which %s", c.Attack, name, safe, r.what)
		}
	}
	return ""
}

// windowsUnsafe tells names of devices, and what Windows does not allow in a name or drops from its end.
func windowsUnsafe(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	devices := []string{"CON", "PRN", "AUX", "NUL"}
	for _, port := range []string{"COM", "LPT"} {
		for n := 1; n <= 9; n++ {
			devices = append(devices, fmt.Sprint(port, n))
		}
	}
	return slices.Contains(devices, strings.TrimSpace(base)) ||
		strings.ContainsAny(name, `<>:"|?*`) || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ")
}
