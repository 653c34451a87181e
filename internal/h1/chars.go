package h1

// hasControl reports a control character other than HTAB (RFC 9110 section 5.5). Bytes from 0x80 on are obs-text,
// which a field value may hold. It looks at eight bytes at a time, then byte by byte where one may be bad.
func hasControl(s string) bool {
	if len(s) < 8 {
		return anyControl(s)
	}
	for last, i := len(s)-8, 0; ; i = min(i+8, last) {
		if mayHoldControl(load64(s, i)) && anyControl(s[i:i+8]) {
			return true
		}
		if i == last {
			return false
		}
	}
}

func anyControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// mayHoldControl reports whether one of the eight bytes is below 0x20 or is 0x7f; it may err on the side of true.
func mayHoldControl(x uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	below := (x - ones*0x20) &^ x & tops
	del := x ^ ones*0x7f
	return below|(del-ones)&^del&tops != 0
}

func load64(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
