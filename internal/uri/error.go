package uri

import "github.com/mountable/requests/internal/secret"

// Code says what is wrong with a URL.
type Code int

// The reasons a URL is refused. MissingScheme is Requests' MissingSchema, all
// others are its InvalidURL.
const (
	InvalidURL    Code = iota // does not follow the grammar
	MissingScheme             // no scheme: "example.com/x"
	MissingHost               // no host: "http:///x"
	InvalidHost               // a host the grammar or IDNA 2008 refuses
	AmbiguousHost             // a host that programs are known to read differently
	InvalidPort               // no number, or beyond 65535
	InvalidEscape             // a percent sign without two hexadecimal digits
	InvalidText               // not UTF-8
)

var codeText = [...]string{
	InvalidURL:    "invalid URL",
	MissingScheme: "no scheme supplied",
	MissingHost:   "no host supplied",
	InvalidHost:   "invalid host",
	AmbiguousHost: "ambiguous host",
	InvalidPort:   "invalid port",
	InvalidEscape: "invalid percent-escape",
	InvalidText:   "not valid UTF-8",
}

// String returns the reason in a few words.
func (c Code) String() string {
	if c < 0 || int(c) >= len(codeText) {
		return codeText[InvalidURL]
	}
	return codeText[c]
}

// Error is the error of every function here. URL has its user information
// masked and its length bounded, so that the error may be logged.
type Error struct {
	Code   Code
	URL    string
	Detail string
}

// Error formats the reason and the masked URL.
func (e *Error) Error() string { return e.Reason() + ": " + quoteForError(e.URL) }

// Reason says what is wrong, without the URL.
func (e *Error) Reason() string {
	if e.Detail == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + e.Detail
}

func fail(code Code, url, detail string) error {
	return &Error{Code: code, URL: secret.URL(url), Detail: detail}
}
