package charset

import "errors"

// Text decodes a body the way Response.text does: by the named encoding if one
// is declared, by the detected one if not, and as UTF-8 where the name is
// unknown; with U+FFFD for what does not fit.
func Text(content []byte, name string, declared bool) string {
	if !declared {
		name = Detect(content)
	}
	if s, ok := Decode(content, name); ok {
		return s
	}
	s, _ := Decode(content, "utf-8")
	return s
}

func isUnknown(err error) bool { return errors.Is(err, ErrUnknown) }

// Latin1OrUTF8 encodes s as ISO-8859-1 where every character fits, as Requests does,
// and leaves it UTF-8 otherwise (RFC 7617 section 2.1).
func Latin1OrUTF8(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return []byte(s)
		}
		out = append(out, byte(r))
	}
	return out
}
