package requests

import "reflect"

// Policy holds the switches that restore Requests' behavior where this package
// is safer by default. The zero value is the safe one; [PolicyRequests] sets
// every switch to Requests' way. docs/differences.md has a row for each.
type Policy struct {
	// KeepCrossOriginHeaders lets every header but Authorization and Cookie travel to another origin on a redirect. By
	// default only Accept*, User-Agent, Range and the like do.
	KeepCrossOriginHeaders bool
	// CrossOriginDigest answers digest challenges of origins other than the one the request was first sent to.
	CrossOriginDigest bool
	// ChallengesAsRequests reads and answers digest challenges with Requests' limits: MD5, MD5-sess, SHA, SHA-256 and
	// SHA-512 only, qop "auth" in a list without blanks only, user names never hashed, quotes not escaped, no
	// ";parameters" in the uri; a challenge it cannot answer has the request sent again as it was.
	ChallengesAsRequests bool
	// ResendUnrewindable sends a request again with an empty body where its body was a stream that cannot be read
	// twice, to answer a challenge or to follow a redirect. By default that is ErrUnrewindableBody.
	ResendUnrewindable bool
	// MethodsAsRequests has redirects change methods as Requests does: 302 makes a GET of PUT, PATCH and DELETE too,
	// and 301 sends these again without their body.
	MethodsAsRequests bool
	// SettingsBeyondBase lets a session with a BaseURL add its Auth, Params, Cert and all of its Headers to requests
	// for other origins too.
	SettingsBeyondBase bool
	// MountsAsRequests lets the prefix of a mount end within a host, and be found in user info.
	MountsAsRequests bool
	// BodiesAsRequests drops JSON where another body is given, leaves a File without Content out, and sends a
	// Content-Length of the caller's without a body, for which the server waits. By default these are errors.
	BodiesAsRequests bool
	// HeadersAsRequests has a request that goes out without User-Agent or Accept-Encoding get what urllib3 adds: the
	// name of the transport, and "identity". By default what no header has is not sent.
	HeadersAsRequests bool
	// NoDefaultTimeouts lifts the Timeouts of NewSession, as long as they have not been changed.
	NoDefaultTimeouts bool
	// CertAcrossOrigins shows the client certificate of the call or the session to servers of other origins too, where
	// a redirect leads there.
	CertAcrossOrigins bool
	// AllowDowngrade follows redirects from https to http.
	AllowDowngrade bool
	// NetrcOnRedirect looks up credentials in netrc for redirect targets.
	NetrcOnRedirect bool
	// NetrcDefault lets the "default" entry of netrc match any host.
	NetrcDefault bool
	// NetrcAsRequests reads netrc files as Python does: a comment ends with its line only in some
	// places. A file that cannot be read or parsed is silently ignored.
	NetrcAsRequests bool
	// NetrcReplacesAuthorization lets netrc, and the user info of the URL, replace an Authorization field that the
	// caller has written.
	NetrcReplacesAuthorization bool
	// NetrcIgnoresUser lets an entry of netrc stand in for the user named in the URL. By default the entry must be
	// that user's.
	NetrcIgnoresUser bool
	// UnlimitedDecoding turns off the bounds on decoded size and ratio, and the defaults of Limits.
	UnlimitedDecoding bool
	// TruncatedContent accepts truncated gzip and deflate, and returns what could be decoded. By
	// default that is ErrContentDecoding.
	TruncatedContent bool
	// GzipWithoutTrailer accepts gzip without its trailer, as some devices send it: the data ends with
	// its last block, or in a flush.
	GzipWithoutTrailer bool
	// LinksAsRequests reads the Link header as Requests does: cut at every ";", names and relation types as they are
	// written, all types of a link one key.
	LinksAsRequests bool
	// NetscapeCookies keeps cookies by the rules of Python's http.cookiejar, with no public suffix list, and lets
	// those without a domain follow redirects to other origins.
	NetscapeCookies bool
	// EnvironmentProxiesFirst lets the environment's proxies win over the session's in Get, Post and the other calls.
	EnvironmentProxiesFirst bool
	// NoProxyAsRequests reads no_proxy as Requests does: no wildcards, brackets, or networks of all addresses, a port
	// only where the URL names it. Requests to this machine go to the environment's proxy, too, and the key of Proxies
	// is for the environment's alone.
	NoProxyAsRequests bool
	// EnvironmentCAFirst lets REQUESTS_CA_BUNDLE win over the session's Verify, Verify(false) included.
	EnvironmentCAFirst bool
	// SendIgnoresEnvironmentCA makes Send(prepared) ignore the CA bundle variables.
	SendIgnoresEnvironmentCA bool
}

// PolicyRequests returns the Policy that behaves as Requests does everywhere a switch exists.
func PolicyRequests() (p Policy) {
	for _, v := range reflect.ValueOf(&p).Elem().Fields() {
		v.SetBool(true)
	}
	return p
}
