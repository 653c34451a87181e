package book

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
)

// index is what the search box reads: which entries have a word, and how much it weighs there.
type index struct {
	Entries []entry          `json:"entries"`
	Words   map[string][]int `json:"words"` // numbers of entries, each followed by the weight
}

// entry is a part of a page, from a heading to the next.
type entry struct {
	Page    string `json:"page"`
	Heading string `json:"heading,omitempty"`
	Link    string `json:"link"` // from the folder of the site
	Begins  string `json:"begins"`
}

// How much a word weighs: in a title, in a heading, and in the text, where it counts as often
// as it is there, but not more than a few times.
const (
	inTitle   = 12
	inHeading = 8
	inText    = 1
	mostText  = 4
)

// beginning is how many bytes of an entry are shown: two lines on a telephone.
const beginning = 110

func indexOf(pages []*page) *index {
	x := &index{Words: map[string][]int{}}
	for _, p := range pages {
		x.addPage(p)
	}
	return x
}

// addPage adds an entry for what comes before the first heading, and for each heading.
func (x *index) addPage(p *page) {
	at := entry{Page: p.title, Link: p.target}
	var text strings.Builder
	for n := p.doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok {
			if n.Kind() != ast.KindHTMLBlock {
				text.WriteString(plain(n, p.text) + " ")
			}
			continue
		}
		x.add(at, text.String())
		text.Reset()
		at = entry{Page: p.title, Heading: plain(h, p.text), Link: withFragment(p.target, anchorOf(h))}
	}
	x.add(at, text.String())
}

// add adds an entry and its words. The title's weigh in the first entry of a page alone.
func (x *index) add(e entry, text string) {
	weights := map[string]int{}
	for _, word := range words(text) {
		weights[word] = min(weights[word]+inText, mostText)
	}
	for _, word := range words(e.Heading) {
		weights[word] += inHeading
	}
	if e.Heading == "" {
		for _, word := range words(e.Page) {
			weights[word] += inTitle
		}
	}
	e.Begins = cut(text, beginning)
	for word, weight := range weights {
		x.Words[word] = append(x.Words[word], len(x.Entries), weight)
	}
	x.Entries = append(x.Entries, e)
}

// cut is the beginning of a text, whole words of it.
func cut(text string, most int) string {
	text = strings.TrimSpace(text)
	if len(text) <= most {
		return text
	}
	end := strings.LastIndexByte(text[:most], ' ')
	if end <= 0 {
		return ""
	}
	return text[:end] + " …"
}

// words splits text into words in lower case. One that is joined of several, as names of Go are,
// is there whole and in its parts: MaxRetries is maxretries, max and retries.
func words(text string) (all []string) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		all = append(all, strings.ToLower(word))
		if parts := humps(word); len(parts) > 1 {
			all = append(all, parts...)
		}
	}
	return all
}

// humps are the parts of a name, each of which begins with a capital: HTTPAdapter is http and adapter.
func humps(word string) (parts []string) {
	runes, start := []rune(word), 0
	for i := 1; i < len(runes); i++ {
		begins := unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if begins {
			parts, start = append(parts, strings.ToLower(string(runes[start:i]))), i
		}
	}
	return append(parts, strings.ToLower(string(runes[start:])))
}

// script is the index as a script, which a page can load where it is not served but opened as a file.
func (x *index) script() []byte {
	text, err := json.Marshal(x)
	if err != nil { // of strings and numbers there is none
		panic(err)
	}
	return fmt.Appendf(nil, "const searchIndex = %s;\n", text)
}
