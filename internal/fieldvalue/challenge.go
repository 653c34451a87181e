package fieldvalue

import "strings"

// Challenge is one challenge of a WWW-Authenticate or Proxy-Authenticate field:
// a scheme with either parameters or a single token (RFC 9110 section 11.3).
type Challenge struct {
	Scheme  string
	Token68 string
	Params  []Pair
}

// Param returns the value of a parameter, the last one if it is repeated. Names
// ignore case.
func (c *Challenge) Param(name string) (value string, ok bool) {
	for _, p := range c.Params {
		if p.HasValue && strings.EqualFold(p.Name, name) {
			value, ok = p.Value, true
		}
	}
	return value, ok
}

// Pairs returns the parameters by name and value.
func (c *Challenge) Pairs() [][2]string {
	pairs := make([][2]string, len(c.Params))
	for i, p := range c.Params {
		pairs[i] = [2]string{p.Name, p.Value}
	}
	return pairs
}

// ParseChallenges splits a field value into its challenges. The comma stands
// both between challenges and between parameters: a word followed by "=" is a
// parameter, any other begins a challenge. Parameters before the first scheme
// are dropped, an unfinished quoted string ends with the value.
func ParseChallenges(value string) []Challenge {
	var challenges []Challenge
	rest := value
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return challenges
		}
		word := rest
		if end := strings.IndexAny(rest, " \t,=\""); end >= 0 {
			word = rest[:end]
		}
		if word == "" { // a stray "=" or quote: neither scheme nor parameter
			_, rest = challengeValue(rest)
			continue
		}
		rest = strings.TrimLeft(rest[len(word):], " \t")
		if !strings.HasPrefix(rest, "=") {
			c := Challenge{Scheme: word}
			c.Token68, rest = cutToken68(rest)
			challenges = append(challenges, c)
			continue
		}
		p := Pair{Name: word, HasValue: true}
		p.Value, rest = challengeValue(strings.TrimLeft(rest[1:], " \t"))
		if n := len(challenges); n > 0 {
			challenges[n-1].Params = append(challenges[n-1].Params, p)
		}
	}
}

// cutToken68 takes a token68 from the start of s: the characters of a token or of
// base64, then any number of "=", then a comma or the end. It looks no further
// than the next blank, so that a value of many words stays linear.
func cutToken68(s string) (token, rest string) {
	end := strings.IndexAny(s, " \t,\"")
	if end < 0 {
		end = len(s)
	}
	token, rest = s[:end], strings.TrimLeft(s[end:], " \t")
	if strings.Contains(strings.TrimRight(token, "="), "=") || rest != "" && rest[0] != ',' {
		return "", s
	}
	return token, rest
}

// challengeValue takes a quoted string, or the text before the next comma.
func challengeValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value, _, _ = strings.Cut(s, ",")
		return strings.TrimRight(value, " \t"), s[len(value):]
	}
	value, rest = cutQuoted(s[1:])
	if i := strings.IndexByte(rest, ','); i >= 0 {
		return value, rest[i:]
	}
	return value, ""
}
