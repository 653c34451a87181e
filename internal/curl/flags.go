package curl

// flag is one that curl has and this package knows.
type flag struct {
	short byte // 0 for none
	long  string
	value bool // a value follows
	set   func(p *parser, value string) error
}

// flags are those with a meaning for a request. What only changes what curl prints or where it
// saves is in silent; all others are errors.
func flags() []flag {
	return []flag{
		{'X', "request", true, func(p *parser, v string) error { p.method = v; return nil }},
		{0, "url", true, (*parser).url},
		{0, "url-query", true, (*parser).urlQuery},
		{'G', "get", false, func(p *parser, _ string) error { p.get = true; return nil }},
		{'I', "head", false, func(p *parser, _ string) error { p.head = true; return nil }},
		{'H', "header", true, (*parser).header},
		{'A', "user-agent", true, func(p *parser, v string) error { return p.field("User-Agent", v) }},
		{'e', "referer", true, (*parser).referer},
		{'r', "range", true, func(p *parser, v string) error { return p.field("Range", "bytes="+v) }},
		{'C', "continue-at", true, (*parser).continueAt},
		{'d', "data", true, (*parser).data},
		{0, "data-ascii", true, (*parser).data},
		{0, "data-raw", true, func(p *parser, v string) error { p.addData([]byte(v), true); return nil }},
		{0, "data-binary", true, (*parser).dataBinary},
		{0, "data-urlencode", true, (*parser).dataURLEncode},
		{0, "json", true, (*parser).json},
		{'F', "form", true, (*parser).form},
		{0, "form-string", true, (*parser).formString},
		{'T', "upload-file", true, (*parser).upload},
		{'b', "cookie", true, (*parser).cookie},
		{'u', "user", true, func(p *parser, v string) error { p.User = v; return nil }},
		{0, "basic", false, func(p *parser, _ string) error { p.Scheme = "basic"; return nil }},
		{0, "digest", false, func(p *parser, _ string) error { p.Scheme = "digest"; return nil }},
		{0, "oauth2-bearer", true, func(p *parser, v string) error { p.Bearer = v; return nil }},
		{'L', "location", false, func(p *parser, _ string) error { p.Follow = true; return nil }},
		{0, "max-redirs", true, (*parser).maxRedirects},
		{0, "path-as-is", false, func(p *parser, _ string) error { p.PathAsIs = true; return nil }},
		{'k', "insecure", false, func(p *parser, _ string) error { p.Insecure = true; return nil }},
		{0, "cacert", true, func(p *parser, v string) error { p.CA = v; return nil }},
		{0, "capath", true, func(p *parser, v string) error { p.CA = v; return nil }},
		{'E', "cert", true, (*parser).cert},
		{0, "key", true, func(p *parser, v string) error { p.Key = v; return nil }},
		{0, "pass", true, func(p *parser, v string) error { p.Password = v; return nil }},
		{'x', "proxy", true, (*parser).proxy},
		{'U', "proxy-user", true, func(p *parser, v string) error { p.proxyUser = v; return nil }},
		{0, "noproxy", true, func(p *parser, v string) error { p.NoProxy = v; return nil }},
		{'m', "max-time", true, func(p *parser, v string) (err error) { p.Total, err = seconds(v); return err }},
		{0, "connect-timeout", true, func(p *parser, v string) (err error) { p.Connect, err = seconds(v); return err }},
		{0, "expect100-timeout", true, func(p *parser, v string) (err error) { p.Continue, err = seconds(v); return err }},
		{'g', "globoff", false, func(p *parser, _ string) error { p.literal = true; return nil }},
	}
}

// silent are flags about what curl prints and saves, and those that ask for what happens
// anyway: 'name' has no value, 'name=' has one. A letter before a colon is the short form.
var silent = []string{
	"s:silent", "S:show-error", "v:verbose", "i:include", "#:progress-bar", "N:no-buffer", "f:fail", "q:disable", "no-progress-meter", "fail-with-body",
	"o:output=", "O:remote-name", "J:remote-header-name", "R:remote-time", "output-dir=", "create-dirs", "w:write-out=", "D:dump-header=", "stderr=",
	"trace=", "trace-ascii=", "trace-time", "styled-output", "no-styled-output", "compressed", "http1.1", "http2", "tcp-nodelay", "no-keepalive",
}

// elsewhere says where something is set that a request cannot hold.
var elsewhere = map[string]string{
	"resolve": "use ResolveTo", "connect-to": "use ResolveTo", "unix-socket": "use adapters.Unix", "interface": "use adapters.SourceInterface or SourceAddress",
	"retry": "use Retries", "cookie-jar": "use CookieJar.Save", "netrc": "see Session.TrustEnv", "limit-rate": "use adapters.RateLimit",
	"anyauth": "use toolbelt.GuessAuth", "proxy-anyauth": "use toolbelt.GuessProxyAuth", "proxy-digest": "use toolbelt.ProxyDigestAuth", "http2-prior-knowledge": "use HTTP2PriorKnowledge",
	"pinnedpubkey": "use adapters.Fingerprint", "tlsv1.2": "use adapters.SSLVersion", "tlsv1.3": "use adapters.SSLVersion", "location-trusted": "credentials stay with their origin",
}

// shortElsewhere are short forms of these.
var shortElsewhere = map[byte]string{'c': "cookie-jar", 'n': "netrc"}
