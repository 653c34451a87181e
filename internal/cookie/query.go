package cookie

import "slices"

// What a program asks of its jar. A nil jar is empty. An empty name, domain or path stands
// for any, and a domain is compared as it is shown, without case. Order is the jar's, and
// expired cookies count as long as they are there.

// Find returns the cookies with a name, a domain and a path.
func (j *Jar) Find(name, domain, path string) (found []Cookie) {
	for _, c := range j.Snapshot() {
		if c.Is(name, domain, path) {
			found = append(found, c.Cookie)
		}
	}
	return found
}

// Has reports whether there is a cookie with exactly this name, which may be empty.
func (j *Jar) Has(name string) bool {
	return slices.ContainsFunc(j.Snapshot(), func(c Stored) bool { return c.Name == name })
}

// Values returns the values by name of the cookies with a domain and a path. Of several
// with the same name, the last counts.
func (j *Jar) Values(domain, path string) map[string]string {
	values := map[string]string{}
	for _, c := range j.Find("", domain, path) {
		values[c.Name] = c.Value
	}
	return values
}

// Domains returns the domains of the cookies, each once.
func (j *Jar) Domains() []string {
	return j.distinct(func(c *Stored) string { return c.Domain })
}

// Paths returns the paths of the cookies, each once.
func (j *Jar) Paths() []string {
	return j.distinct(func(c *Stored) string { return c.Path })
}

func (j *Jar) distinct(part func(*Stored) string) (parts []string) {
	cookies, seen := j.Snapshot(), map[string]bool{}
	for i := range cookies {
		if p := part(&cookies[i]); !seen[p] {
			seen[p] = true
			parts = append(parts, p)
		}
	}
	return parts
}

// Delete removes the cookies with a name, a domain and a path, and returns how many there
// were.
func (j *Jar) Delete(name, domain, path string) int {
	return j.RemoveIf(func(c *Stored) bool { return c.Is(name, domain, path) })
}

// DeleteExpired removes the cookies that have expired and returns how many there were.
func (j *Jar) DeleteExpired() int {
	now := j.Now()
	return j.RemoveIf(func(c *Stored) bool { return c.Expired(now) })
}

// DeleteSession removes the cookies that no date ends and returns how many there were.
func (j *Jar) DeleteSession() int {
	return j.RemoveIf(func(c *Stored) bool { return c.Expires.IsZero() })
}
