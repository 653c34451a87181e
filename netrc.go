package requests

import (
	"github.com/mountable/requests/internal/netrc"
	"github.com/mountable/requests/internal/uri"
)

// netrcAuth returns the credentials netrc has for the host of p, nil if none. The
// host is that of the parsed URL; a user named in the URL must be the entry's.
func (s *Session) netrcAuth(p *PreparedRequest) (Auth, error) {
	file, err := s.netrc.Load(s.Policy.NetrcAsRequests)
	if e, ok := err.(*netrc.FileError); ok {
		return nil, wrap(ErrFile, e.Err, "the netrc file "+e.Path+" cannot be used")
	}
	if file == nil {
		return nil, nil
	}
	to := p.at()
	if to.Err != nil || to.URL.Host == "" {
		return nil, nil
	}
	login, password, ok := s.netrcEntry(file, &to.URL)
	if !ok {
		return nil, nil
	}
	return BasicAuth(login, password), nil
}

func (s *Session) netrcEntry(file *netrc.File, u *uri.URL) (login, password string, ok bool) {
	named := u.HasUser && !s.Policy.NetrcIgnoresUser
	if named {
		if login, password, ok = file.LookupUser(u.Hostname(), u.Username()); ok {
			return login, password, true
		}
	}
	if s.Policy.NetrcDefault {
		login, password, ok = file.LookupOrDefault(u.Hostname())
	} else {
		login, password, ok = file.Lookup(u.Hostname())
	}
	return login, password, ok && (!named || login == u.Username())
}
