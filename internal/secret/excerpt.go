package secret

import (
	"bytes"
	"unicode/utf8"

	"github.com/mountable/requests/internal/ascii"
)

const (
	excerptLen = 80      // a line of a log
	snippetLen = 1 << 10 // what somebody reads who looks into an error
	excerptOf  = 4 << 10 // what is looked at for it
	tokenLen   = 16      // words of letters and digits that are longer are not of a language
)

// Excerpt shows how a body begins, in 80 bytes at most: what is secret by its name is
// masked, whatever the Content-Type says the body is, and so are words that look like
// tokens, as a body may be nothing else.
func Excerpt(contentType string, data []byte) string { return excerpt(contentType, data, excerptLen) }

// Snippet is Excerpt in 1 KiB at most.
func Snippet(contentType string, data []byte) string { return excerpt(contentType, data, snippetLen) }

func excerpt(contentType string, data []byte, length int) string {
	head := data[:min(len(data), excerptOf)]
	if w, ok := wideOf(head); ok {
		head = w.decode(head)
	}
	head = standard.Body("", standard.Body(contentType, head))
	head = maskTokens([]byte(standard.Pairs(string(head))))
	if len(head) <= length {
		return string(head)
	}
	end := length
	for end > length-utf8.UTFMax && !utf8.RuneStart(head[end]) {
		end--
	}
	return string(head[:end]) + "…"
}

// maskTokens masks long words in which letters and digits are mixed.
func maskTokens(text []byte) []byte {
	var out []byte
	for len(text) > 0 {
		n := max(1, wordLen(text))
		if word := text[:n]; n >= tokenLen && mixed(word) {
			out = append(out, Mask...)
		} else {
			out = append(out, word...)
		}
		text = text[n:]
	}
	return out
}

// wordLen is the length of the word that text begins with: characters of base64, in both
// alphabets, and of JSON Web Tokens.
func wordLen(text []byte) int {
	n := 0
	for n < len(text) && (ascii.IsDigit(text[n]) || isLetter(text[n]) || bytes.IndexByte([]byte("-_.+="), text[n]) >= 0) {
		n++
	}
	return n
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func mixed(word []byte) bool {
	digits, letters := 0, 0
	for _, c := range word {
		switch {
		case ascii.IsDigit(c):
			digits++
		case isLetter(c):
			letters++
		}
	}
	return digits > 1 && letters > 1
}
