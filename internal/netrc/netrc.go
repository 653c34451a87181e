// Package netrc reads the text of a netrc file: as curl and inetutils do, or as Python's netrc module does, on which
// Requests relies.
//
// It knows no host names beyond the words of the text: the caller lower-cases the host of its URL and decides whether
// a default entry may be used. A Cache finds the file and reads it again where it has changed.
package netrc

import "strings"

// File is a parsed netrc text. It is immutable and safe for concurrent use. Printing it shows no secret.
type File struct {
	machines map[string][]entry
	fallback *entry // the entry of "default"; Python does not tell a machine of that name from it
	folds    bool   // names are kept in lower case
}

type entry struct{ login, account, password string }

// Lookup returns the credentials of the last entry which names host (ports are not part of a name; letter case matters
// to ParsePython alone). The account stands in for a missing login, and either value may be empty, but an entry with
// nothing in it is not an entry: ok is false. The default entry is left alone.
func (f *File) Lookup(host string) (login, password string, ok bool) {
	if entries := f.entries(host); len(entries) > 0 {
		return entries[len(entries)-1].credentials()
	}
	return "", "", false
}

// LookupUser is Lookup among the entries of one login.
func (f *File) LookupUser(host, user string) (login, password string, ok bool) {
	entries := f.entries(host)
	for i := len(entries) - 1; i >= 0; i-- {
		if login, password, ok = entries[i].credentials(); ok && login == user {
			return login, password, true
		}
	}
	return "", "", false
}

// Entry returns the credentials for a host, for no other user than the one that is named. orDefault
// takes the default entry where the host has none.
func (f *File) Entry(host, user string, named, orDefault bool) (login, password string, ok bool) {
	if named {
		if login, password, ok = f.LookupUser(host, user); ok {
			return login, password, true
		}
	}
	lookup := f.Lookup
	if orDefault {
		lookup = f.LookupOrDefault
	}
	login, password, ok = lookup(host)
	return login, password, ok && (!named || login == user)
}

// LookupOrDefault is Lookup, with the default entry for a host that no entry names. An empty entry for the host keeps
// the default away, as in Python.
func (f *File) LookupOrDefault(host string) (login, password string, ok bool) {
	if len(f.entries(host)) > 0 || f.fallback == nil {
		return f.Lookup(host)
	}
	return f.fallback.credentials()
}

func (f *File) entries(host string) []entry {
	if f.folds {
		host = strings.ToLower(host)
	}
	return f.machines[host]
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
