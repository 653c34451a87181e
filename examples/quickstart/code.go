package main

import (
	_ "embed"
	"strings"
)

var (
	//go:embed tour.go
	tourSource string
	//go:embed carriers.go
	carriersSource string

	// source is what the tour shows of itself.
	source = tourSource + carriersSource
)

// codeOf returns the code of the stop with a title: what it asks of the library, without
// titles, printing and the handling of errors.
func codeOf(title string) []string {
	_, body, _ := strings.Cut(source, "t.title(\""+title+"\")\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	var code []string
	skipped := "" // the end of the block that is left out
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\n")
		indent := line[:len(line)-len(strings.TrimLeft(line, "\t"))]
		switch text := line[len(indent):]; {
		case skipped != "":
			if line == skipped {
				skipped = ""
			}
		case text == "if err != nil {":
			skipped = indent + "}"
		case text == "return err" && len(code) > 0 && strings.HasSuffix(code[len(code)-1], "; err != nil {"):
			code = append(code, strings.TrimPrefix(line, "\t")) // withoutChecks takes it
		case text == "" || text == "return nil" || text == "return err" || strings.HasPrefix(text, "t.printf(") || strings.HasPrefix(text, "t.saw("):
		default:
			code = append(code, strings.TrimPrefix(line, "\t"))
		}
	}
	return withoutChecks(code)
}

// withoutChecks turns "if err := f(); err != nil {", which returns the error, into the call.
func withoutChecks(code []string) []string {
	var short []string
	for i := 0; i < len(code); i++ {
		call, isCheck := strings.CutSuffix(code[i], "; err != nil {")
		isCheck = isCheck && i+2 < len(code) && strings.TrimSpace(code[i+1]) == "return err"
		if isCheck {
			call = strings.Replace(call, "if ", "", 1)
			i += 2
		} else {
			call = code[i]
		}
		short = append(short, strings.ReplaceAll(call, "\t", "    "))
	}
	return short
}
