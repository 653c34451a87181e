// Package netrc reads the text of a netrc file the way Python's netrc module does, for that is what Requests relies on.
//
// It opens no file and knows no host names beyond the words of the text: the caller reads the file, lower-cases the
// host of its URL and decides whether a default entry may be used.
package netrc

// File is a parsed netrc text. It is immutable and safe for concurrent use. Printing it shows no secret.
type File struct {
	machines map[string]entry
	fallback *entry // the entry of "default" (or of a machine of that name, which Python does not tell apart)
}

type entry struct{ login, account, password string }

// Lookup returns the credentials of the entry which names host exactly (case matters; ports are no part of a name).
// The account stands in for a missing login, and either value may be empty, but an entry with nothing in it
// is no entry: ok is false. The default entry is left alone.
func (f *File) Lookup(host string) (login, password string, ok bool) {
	return f.machines[host].credentials()
}

// LookupOrDefault is Lookup, with the default entry for a host that no entry names. An empty entry for the host keeps
// the default away, as in Python.
func (f *File) LookupOrDefault(host string) (login, password string, ok bool) {
	if e, named := f.machines[host]; named || f.fallback == nil {
		return e.credentials()
	}
	return f.fallback.credentials()
}

func (e entry) credentials() (login, password string, ok bool) {
	if e == (entry{}) {
		return "", "", false
	}
	if e.login == "" {
		return e.account, e.password, true
	}
	return e.login, e.password, true
}

// String keeps the credentials out of logs.
func (f *File) String() string { return "netrc.File{…}" }

// GoString keeps the credentials out of %#v.
func (f *File) GoString() string { return f.String() }
