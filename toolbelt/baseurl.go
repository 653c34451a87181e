package toolbelt

import "github.com/mountable/requests"

// NewBaseURLSession returns a [requests.NewSession] whose BaseURL is base: relative URLs resolve
// against it, as [requests.Session.Prepare] says, and what the session adds stays with the origin
// of base. An invalid base is an error of the first request.
func NewBaseURLSession(base string) *requests.Session {
	s := requests.NewSession()
	s.BaseURL = base
	return s
}
