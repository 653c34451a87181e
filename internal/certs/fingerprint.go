package certs

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParseFingerprint reads a certificate's fingerprint: 32, 40 or 64 hexadecimal digits (MD5, SHA-1, SHA-256) in
// any case, colons left out. Blanks and dashes are not, as in urllib3.
func ParseFingerprint(text string) ([]byte, error) {
	digits := strings.ToLower(strings.ReplaceAll(text, ":", ""))
	switch utf8.RuneCountInString(digits) {
	case 32, 40, 64:
	default:
		//lint:ignore ST1005 the text is urllib3's, which people search for
		return nil, fmt.Errorf("Fingerprint of invalid length: %s", digits)
	}
	sum, err := hex.DecodeString(digits)
	if err != nil {
		//lint:ignore ST1005 the text is urllib3's, which people search for
		return nil, errors.New("Non-hexadecimal digit found")
	}
	return sum, nil
}
