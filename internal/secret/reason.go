package secret

import (
	"fmt"
	"strings"
)

// Reason is the text of an error: what failed and why, and neither of them twice. The kind is left
// out where the cause names it, as "context canceled" does, and what the cause says of the operation
// ("connect: connection refused") where op has said it. snippet stands in for a cause.
func Reason(op, detail, kind, snippet string, err error) string {
	what, why := detail, ""
	if err != nil {
		op, _, _ := strings.Cut(op, " ")
		why = strings.TrimPrefix(err.Error(), op+": ")
	}
	if what == "" && !strings.Contains(why, kind) {
		what = kind
	}
	switch {
	case what == "" || what == why:
		return why
	case why == "" && snippet != "":
		return fmt.Sprintf("%s: %.100q", what, snippet)
	case why == "":
		return what
	}
	return what + ": " + why
}
