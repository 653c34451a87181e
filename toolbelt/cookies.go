package toolbelt

import "github.com/mountable/requests"

// ForgetfulCookieJar returns a jar that keeps no cookie, whoever sets it: for
// a session whose requests must not know of each other.
//
//	s.Cookies = toolbelt.ForgetfulCookieJar()
//
// Cookies given with a call, as [requests.Cookies], are sent with that call.
func ForgetfulCookieJar() *requests.CookieJar {
	return requests.NewCookieJar(requests.CookieFilter(func(requests.Cookie) bool { return false }))
}
