package toolbelt

import (
	"runtime"
	"strings"
	"sync"
)

// UserAgent returns a User-Agent that names a program, what else it is made of, the
// version of Go and the system: "tool/1.0 requests/0.2.0 Go/1.26.1 Linux/6.1.0".
func UserAgent(name, version string, extras ...[2]string) string {
	return NewUserAgentBuilder(name, version).
		IncludeExtras(extras...).
		IncludeImplementation().
		IncludeSystem().
		Build()
}

// UserAgentBuilder puts a User-Agent together piece by piece, in the order of the
// calls, each of which may be repeated. Text goes in as it is given.
type UserAgentBuilder struct {
	pieces []string
}

// NewUserAgentBuilder starts with the name and version of the program.
func NewUserAgentBuilder(name, version string) *UserAgentBuilder {
	return &UserAgentBuilder{pieces: []string{name + "/" + version}}
}

// IncludeExtras adds pairs of name and version.
func (b *UserAgentBuilder) IncludeExtras(extras ...[2]string) *UserAgentBuilder {
	for _, extra := range extras {
		b.pieces = append(b.pieces, extra[0]+"/"+extra[1])
	}
	return b
}

// IncludeImplementation adds the version of Go, as "Go/1.26.1".
func (b *UserAgentBuilder) IncludeImplementation() *UserAgentBuilder {
	return b.IncludeExtras([2]string{"Go", goVersion(runtime.Version())})
}

// IncludeSystem adds the operating system and its release, as "Linux/6.1.0", and
// "Unknown" for what the system does not tell.
func (b *UserAgentBuilder) IncludeSystem() *UserAgentBuilder {
	return b.IncludeExtras([2]string{systemName(runtime.GOOS), systemRelease()})
}

// Build returns the pieces so far, separated by blanks.
func (b *UserAgentBuilder) Build() string { return strings.Join(b.pieces, " ") }

// goVersion is the number of a release, "1.26.1" of "go1.26.1 X:flag"; a development
// version has none.
func goVersion(version string) string {
	version, _, _ = strings.Cut(version, " ")
	if number, ok := strings.CutPrefix(version, "go"); ok {
		return number
	}
	return "devel"
}

// systemName spells goos as the system spells itself.
func systemName(goos string) string {
	switch goos {
	case "":
		return "Unknown"
	case "aix":
		return "AIX"
	case "ios":
		return "iOS"
	case "dragonfly":
		return "DragonFly"
	}
	if kind, ok := strings.CutSuffix(goos, "bsd"); ok {
		return capitalised(kind) + "BSD"
	}
	return capitalised(goos)
}

func capitalised(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// systemRelease does not change while a program runs.
var systemRelease = sync.OnceValue(func() string {
	if release := osRelease(); release != "" {
		return release
	}
	return "Unknown"
})
