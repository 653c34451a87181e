package architecture

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/backoff"
	"github.com/mountable/requests/internal/certs"
	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/codec"
	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/cookie"
	"github.com/mountable/requests/internal/curl"
	"github.com/mountable/requests/internal/dial"
	"github.com/mountable/requests/internal/digest"
	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/hsts"
	"github.com/mountable/requests/internal/httpdate"
	"github.com/mountable/requests/internal/integrity"
	"github.com/mountable/requests/internal/jsontext"
	"github.com/mountable/requests/internal/multipart"
	"github.com/mountable/requests/internal/netrc"
	"github.com/mountable/requests/internal/proxyenv"
	"github.com/mountable/requests/internal/redirect"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/sse"
	"github.com/mountable/requests/internal/template"
	"github.com/mountable/requests/internal/uri"
	"github.com/mountable/requests/toolbelt"
)

var here, _ = uri.Parse("http://a.test/b/c")

var long = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// parsers are the functions that read what servers, proxies, files, the environment or users of
// a program have written.
var parsers = map[string]func(s string){
	"backoff.ParseRetryAfter": func(s string) { backoff.ParseRetryAfter(s, long, time.Hour) },
	"backoff.RetryAfter":      func(s string) { backoff.RetryAfter([]string{s, s}, long, time.Hour) },

	"certs.ParseBundle":      func(s string) { _, _ = certs.ParseBundle([]byte(s)) },
	"certs.ParseFingerprint": func(s string) { _, _ = certs.ParseFingerprint(s) },

	"charset.Declared":             func(s string) { charset.Declared("text/html;" + s) },
	"charset.Decode":               func(s string) { charset.Decode([]byte(s), "utf-7"); charset.Decode([]byte(s), "iso-2022-jp") },
	"charset.DecodeStrict":         func(s string) { _, _ = charset.DecodeStrict([]byte(s), "gb18030") },
	"charset.Decoder.Append":       func(s string) { charset.DecoderOr("utf-16", "").Append(nil, []byte(s), true) },
	"charset.Decoder.Decode":       func(s string) { charset.DecoderOr("big5", "").Decode([]byte(s), true) },
	"charset.Detect":               func(s string) { charset.Detect([]byte(s)) },
	"charset.EncodingsFromBytes":   func(s string) { _, _ = charset.EncodingsFromBytes([]byte(s)) },
	"charset.EncodingsFromContent": func(s string) { charset.EncodingsFromContent(s); charset.EncodingsFromContent("<meta charset=" + s) },
	"charset.FromContentType":      func(s string) { charset.FromContentType("text/html;" + s) },
	"charset.GuessJSON":            func(s string) { charset.GuessJSON([]byte(s)) },
	"charset.Latin1OrUTF8":         func(s string) { charset.Latin1OrUTF8(s) },
	"charset.JSONEncoding":         func(s string) { charset.JSONEncoding([]byte(s)) },
	"charset.JSONText":             func(s string) { charset.JSONText([]byte(s), "") },
	"charset.MediaType":            func(s string) { charset.MediaType(s) },
	"charset.Lookup":               func(s string) { charset.Lookup(s) },
	"charset.ParseContentType":     func(s string) { charset.ParseContentType("text/html;" + s) },
	"charset.ScanAll": func(s string) {
		lines(s, charset.LineEnds(false), false)
		lines(s, charset.Delimiter("a,", false), false)
	},
	"charset.Scanner.TextLine": func(s string) { lines(s, charset.LineEnds(true), true) },
	"charset.Text":             func(s string) { charset.Text([]byte(s), "", false) },
	"charset.TextFromContent":  func(s string) { _, _ = charset.TextFromContent([]byte(s), "text/html") },
	"charset.TextFromHeader":   func(s string) { _, _ = charset.TextFromHeader([]byte("a"), "text/html;"+s) },

	"coding.NewReader": func(s string) {
		for _, name := range []string{"gzip", "deflate", "br", "zstd"} {
			if r, err := coding.NewReader(strings.NewReader(s), []string{name}, coding.Limits{}); err == nil {
				_, _ = io.Copy(io.Discard, r)
				_ = r.Close()
			}
		}
	},
	"coding.Parse": func(s string) { _, _ = coding.Parse([]string{s}) },

	"cookie.Jar.Receive": func(s string) {
		new(cookie.Jar).Receive("http://a.test/", []string{s, "a=b;" + s}, cookie.Rules{})
		new(cookie.Jar).Receive("http://a.test/", []string{s}, cookie.Rules{Netscape: true})
		new(cookie.Jar).Receive("http://"+s, []string{"a=b"}, cookie.Rules{})
	},
	"cookie.ReadJSON": func(s string) { _, _ = cookie.ReadJSON([]byte(s)) },
	"cookie.ReadText": func(s string) {
		_, _ = cookie.ReadText([]byte("# Netscape HTTP Cookie File\n"+s), true, cookie.Rules{})
	},

	"dial.Socks": func(s string) {
		_ = dial.Socks(answer(s), &dial.SocksRequest{Scheme: "socks5h", Host: "a.test", Port: 80, User: "u", Password: "p"})
	},
	"dial.Tunnel": func(s string) { _, _ = dial.Tunnel(answer("HTTP/1.1 407 "+s), "a.test", 443, nil) },

	"curl.ByteChars": func(s string) { curl.ByteChars(s) },
	"curl.Parse":     func(s string) { _, _ = curl.Parse("curl h -H 'A: ' -F a=b;" + s) },

	"digest.Find": func(s string) { digest.Find([]string{s}, false); digest.Find([]string{s}, true) },
	"digest.Of": func(s string) {
		digest.Of("Digest", func(string) (string, bool) { return s, true })
	},

	"fieldvalue.FindLink":            func(s string) { fieldvalue.FindLink([]string{s, s}, "next", func(string) bool { return false }) },
	"fieldvalue.LinkTable":           func(s string) { fieldvalue.LinkTable([]string{s, s}) },
	"fieldvalue.LinkTableAsRequests": func(s string) { fieldvalue.LinkTableAsRequests([]string{s, s}) },
	"fieldvalue.ParseChallenges":     func(s string) { fieldvalue.ParseChallenges(s) },
	"fieldvalue.ParseDict":           func(s string) { fieldvalue.ParseDict(s) },
	"fieldvalue.ParseLinks":          func(s string) { fieldvalue.ParseLinks(s) },
	"fieldvalue.CutItem": func(s string) {
		for rest := s; rest != ""; {
			_, rest = fieldvalue.CutItem(rest)
		}
	},
	"fieldvalue.Names":     func(s string) { fieldvalue.Names([]string{s, "a, " + s}) },
	"fieldvalue.ParseList": func(s string) { fieldvalue.ParseList(s) },
	"fieldvalue.Unquote":   func(s string) { fieldvalue.Unquote(`"`+s+`"`, true); fieldvalue.Unquote(`"`+s+`"`, false) },
	"fieldvalue.WebLinks":  func(s string) { fieldvalue.WebLinks(s); fieldvalue.WebLinks("<a>;x*=" + s) },

	"h1.HasToken": func(s string) { h1.HasToken(h1.Fields{{"Connection", s}, {"Connection", s}}, "connection", "close") },
	"h1.NewReader": func(s string) {
		response(s)
		response("HTTP/1.1 200 OK\r\n" + s)
		response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + s)
		response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + s)
	},
	"h1.ResponseFraming": func(s string) {
		_, _, _ = h1.ResponseFraming("GET", &h1.ResponseHead{Status: 200, Fields: h1.Fields{{"Content-Length", s}}})
		_, _, _ = h1.ResponseFraming("GET", &h1.ResponseHead{Status: 200, Fields: h1.Fields{{"Transfer-Encoding", s}}})
	},

	"hsts.Store.Learn": func(s string) {
		hsts.New().Learn("https://a.test/", []string{s, "max-age=1;" + s}, func(string) error { return nil })
		hsts.New().Learn("https://"+s, []string{"max-age=1"}, func(string) error { return nil })
	},
	"hsts.Store.Read":    func(s string) { _ = hsts.New().Read([]byte(s)) },
	"hsts.Store.Upgrade": func(s string) { hsts.New().Upgrade("http://" + s) },

	"httpdate.Cookie": func(s string) { httpdate.Cookie(s); httpdate.Cookie("Fri, 27 Nov " + s) },
	"httpdate.Strict": func(s string) {
		httpdate.Strict(s, time.Now())
		httpdate.Strict("Fri, 27 Nov "+s, time.Now())
	},
	"httpdate.HTTP":     func(s string) { httpdate.HTTP(s); httpdate.HTTP("Fri, 27 Nov " + s) },
	"httpdate.Netscape": func(s string) { httpdate.Netscape(s, long); httpdate.Netscape("Fri, 27 Nov "+s, long) },

	"integrity.Parse": func(s string) { integrity.Parse([]string{s, s}) },

	"jsontext.Array": func(s string) {
		_ = jsontext.Array(strings.NewReader("["+s), 0, func(jsontext.Text) bool { return true })
	},
	"jsontext.ParseProblem": func(s string) { jsontext.ParseProblem([]byte(`{"title":` + s)) },
	"jsontext.Line":         func(s string) { _ = jsontext.Line(s, 1) },
	"jsontext.Diagnose": func(s string) {
		jsontext.Diagnose(jsontext.Text{Data: []byte(s)}, errors.New("bad"), 200, "text/html")
		jsontext.Diagnose(jsontext.Text{Data: []byte(`{"a":` + s)}, errors.New("bad"), 200, "application/problem+json")
	},

	"multipart.NewPartReader": func(s string) { parts(s); parts("--b\r\n" + s); parts("--b\r\n\r\n" + s) },
	"multipart.SplitPart":     func(s string) { _, _ = multipart.SplitPart([]byte(s)) },
	"multipart.SplitParts":    func(s string) { _, _ = multipart.SplitParts([]byte(s), "b") },

	"netrc.Parse":       func(s string) { _, _ = netrc.Parse([]byte(s)); _, _ = netrc.Parse([]byte("machine a login \"" + s)) },
	"netrc.ParsePython": func(s string) { _, _ = netrc.ParsePython([]byte(s)) },

	"proxyenv.Bypass":           func(s string) { proxyenv.Bypass(s, &here) },
	"proxyenv.BypassAsRequests": func(s string) { proxyenv.BypassAsRequests(s, &here) },
	"proxyenv.Listed":           func(s string) { proxyenv.Listed(s, &here) },
	"proxyenv.ParseURL":         func(s string) { _, _ = proxyenv.ParseURL("http://" + s); _, _ = proxyenv.ParseURL(s) },

	"secret.Clean":    func(s string) { secret.Clean(s) },
	"secret.Snippet":  func(s string) { secret.Snippet("", []byte(s)) },
	"secret.Reason":   func(s string) { secret.Reason("dial tcp", "", "kind", s, errors.New("dial: "+s)) },
	"secret.Excerpt":  func(s string) { secret.Excerpt("application/json", []byte(s)); secret.Excerpt("", []byte(s)) },
	"secret.Is":       func(s string) { secret.Is(s) },
	"secret.Names.Is": func(s string) { secret.Default().Is(s) },
	"secret.Names.Body": func(s string) {
		secret.Default().Body("application/x-www-form-urlencoded", []byte(s))
		secret.Default().Body("application/json", []byte("\xff\xfe"+s))
	},
	"secret.Names.Field": func(s string) { secret.Default().Field("Cookie", s); secret.Default().Field("Link", s) },
	"secret.Names.JSON":  func(s string) { secret.Default().JSON([]byte(s)) },
	"secret.Names.Pairs": func(s string) { secret.Default().Pairs(s) },
	"secret.Names.Text":  func(s string) { secret.Default().Text(s); secret.Default().Text("http://" + s) },
	"secret.Names.URL":   func(s string) { secret.Default().URL("http://a/?" + s) },
	"secret.Names.XML":   func(s string) { secret.Default().XML([]byte(s)); secret.Default().XML([]byte("<a>" + s)) },
	"secret.URL":         func(s string) { secret.URL("http://" + s); secret.URL(s) },
	"secret.Userinfo":    func(s string) { secret.Userinfo("http://" + s) },

	"uri.ASCIIHost":      func(s string) { uri.ASCIIHost(s) },
	"uri.ExactTarget":    func(s string) { uri.ExactTarget("http://a/" + s) },
	"uri.SameResource":   func(s string) { uri.SameResource("http://a/b", s) },
	"uri.AbsoluteTarget": func(s string) { _, _ = uri.AbsoluteTarget("http://a/" + s) },
	"uri.AddressOf":      func(s string) { uri.AddressOf("http://" + s) },
	"uri.DefragAuth":     func(s string) { uri.DefragAuth("http://" + s) },
	"uri.EncodeTarget":   func(s string) { uri.EncodeTarget("/" + s) },
	"netrc.File.Entry":   func(s string) { new(netrc.File).Entry(s, s, true, true) },
	"uri.LeavesBase":     func(s string) { uri.LeavesBase("http://a.test/", s) },
	"uri.SchemeHint":     func(s string) { uri.SchemeHint(s, []string{s}) },
	"redirect.Location":  func(s string) { redirect.Location([]string{s, s, "a"}) },
	"codec.TypeOf":       func(s string) { codec.TypeOf("a/" + s) },
	"codec.XML": func(s string) {
		_ = codec.XML([]byte("<a>"+s), "", new(struct{}))
		_ = codec.XML(nil, "a/b;"+s, new(struct{}))
	},
	"charset.XMLEncoding":    func(s string) { charset.XMLEncoding([]byte("<?xml " + s)) },
	"template.Expand":        func(s string) { _, _ = template.Expand("{+x}{y}"+s, map[string]any{"x": s, "y": s}) },
	"uri.MayBegin":           func(s string) { uri.MayBegin(s) },
	"sse.Parser.Next":        func(s string) { _, _, _ = new(sse.Parser).Next(charset.ScanAll([]byte("data: " + s))) },
	"uri.Join":               func(s string) { uri.Join("http://a/b", s); uri.Join("http://a/"+s, "b") },
	"uri.Site":               func(s string) { uri.Site(s) },
	"uri.WithoutDefaultPort": func(s string) { _ = uri.WithoutDefaultPort(s, "http") },
	"uri.Escape":             func(s string) { uri.Escape(s, "-._~") },
	"uri.OriginOf":           func(s string) { uri.OriginOf("http://" + s) },
	"uri.Parse": func(s string) {
		_, _ = uri.Parse(s)
		_, _ = uri.Parse("http://" + s)
		_, _ = uri.Parse("http://a/" + s)
	},
	"uri.ParseIPv4": func(s string) { uri.ParseIPv4(s) },
	"uri.PathURL":   func(s string) { uri.PathURL("http://a/" + s) },
	"uri.Prepare": func(s string) {
		_, _ = uri.Prepare("http://a/"+s, [][2]string{{"k", s}})
		_, _ = uri.Prepare("http://"+s, nil)
	},
	"uri.PrepareText":   func(s string) { _, _ = uri.PrepareText("http://a/", s) },
	"uri.PrependScheme": func(s string) { _, _ = uri.PrependScheme(s, "http") },
	"uri.RequestTarget": func(s string) { uri.RequestTarget("http://a/" + s) },
	"uri.Requote":       func(s string) { uri.Requote("http://a/" + s) },
	"uri.ResolveRedirect": func(s string) {
		_, _ = uri.ResolveRedirect("http://a/b", s, "")
		_, _ = uri.ResolveRedirect("http://a/b", "//"+s, "")
	},
	"uri.ShareOrigin":       func(s string) { uri.ShareOrigin("http://"+s, "http://a") },
	"uri.ShouldStripAuth":   func(s string) { _, _ = uri.ShouldStripAuth("http://a", "http://"+s) },
	"uri.SplitAuth":         func(s string) { uri.SplitAuth("http://" + s) },
	"uri.StripUserinfo":     func(s string) { uri.StripUserinfo("http://" + s) },
	"uri.UnquoteUnreserved": func(s string) { _, _ = uri.UnquoteUnreserved(s) },
	"uri.WithDottedHost":    func(s string) { uri.WithDottedHost("http://" + s) },
	"uri.WithoutParams":     func(s string) { uri.WithoutParams("/" + s) },

	// What is exported.
	"requests.CookieJar.UnmarshalText": func(s string) { _ = requests.NewCookieJar().UnmarshalText([]byte("# Netscape HTTP Cookie File\n" + s)) },
	"requests.CookieJar.UnmarshalJSON": func(s string) { _ = requests.NewCookieJar().UnmarshalJSON([]byte(s)) },
	"requests.Response, read": func(s string) {
		r := requests.NewResponse(nil, 200, requests.Headers{{"Link", s}, {"Content-Type", "text/html;" + s}, {"Content-Encoding", s}, {"Set-Cookie", s}}, io.NopCloser(strings.NewReader(s)))
		r.Links()
		_, _ = r.Text()
		_ = r.JSON(new(any))
		r.Link("next")
	},
	"requests.Session, sent": func(s string) {
		session := requests.NewSession()
		defer session.Close()
		session.TrustEnv = false
		session.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			fields := requests.Headers{{"Location", s}, {"Set-Cookie", s}, {"Retry-After", s}, {"WWW-Authenticate", s}, {"Strict-Transport-Security", s}}
			return requests.NewResponse(p, 302, fields, io.NopCloser(strings.NewReader(s))), nil
		}))
		session.MaxRedirects = 2
		_, _ = session.Get(context.Background(), "http://a.test/"+s, requests.Headers{{"A", s}}, requests.Params{{"k", s}}, requests.Authenticate(requests.DigestAuth("u", "p")))
	},
	"toolbelt.Filename":     func(s string) { toolbelt.Filename("attachment; filename=" + s); toolbelt.Filename(s) },
	"toolbelt.SafeFilename": func(s string) { toolbelt.SafeFilename(s) },
	"toolbelt.NewMultipartDecoder": func(s string) {
		for _, content := range []string{s, "--b\r\n" + s + "\r\n\r\nc\r\n--b--", "--b\r\nA: b" + s + "\r\n\r\nc\r\n--b--"} {
			_, _ = toolbelt.NewMultipartDecoder([]byte(content), "multipart/form-data; boundary=b", "utf-8")
		}
	},
	"adapters.AllowHosts": func(s string) { adapters.AllowHosts("a.test", "*.b.test") },
}

// notMeasured has the functions, by pattern, that take text that is not foreign, or do not
// look at it.
var notMeasured = map[string]string{
	"ascii.*":                "looks at each byte once",
	"bars.*":                 "the program's own",
	"body.*":                 "bodies that are sent are not looked at",
	"body.*.*":               "bodies that are sent are not looked at",
	"content.*":              "bodies that come are not looked at; charset.Scanner is",
	"content.*.*":            "bodies that come are not looked at; charset.Scanner is",
	"integrity.*.*":          "bodies are summed",
	"bounded.*":              "files are not looked at",
	"codec.Of":               "the program's own names",
	"coding.Decoders.*":      "as Parse and NewReader",
	"section.*":              "looks at each byte once",
	"wire.*":                 "the same",
	"wire.*.*":               "the same",
	"backoff.Idempotent":     "the caller's method",
	"dial.TLS.Client":        "the plan's host, for a handshake",
	"uri.Follow":             "uri.ResolveRedirect",
	"certs.Store.Bundle*":    "certs.ParseBundle, remembered",
	"certs.Named.File":       "compares",
	"charset.Delimiter":      "the caller's",
	"charset.DecodeOr":       "charset.Decode",
	"charset.DecoderOr":      "charset.Lookup",
	"charset.TextChunks":     "charset.Decode",
	"codec.Base":             "codec.TypeOf",
	"charset.IsUTF8":         "charset.Lookup",
	"charset.NewDecoder":     "charset.Lookup",
	"cookie.Cookie.Is":       "compares",
	"cookie.Jar.Delete":      "the caller's",
	"cookie.Jar.Find":        "the caller's",
	"cookie.Jar.Has":         "the caller's",
	"cookie.Jar.Values":      "the caller's",
	"cookie.Jar.Match":       "uri.Parse, and TestLinear of internal/cookie",
	"cookie.*File":           "the operating system's",
	"dial.CheckFingerprint":  "compares a hash",
	"dial.Conn.ReadFrom":     "sends",
	"dial.Conn.Turn":         "sends, and reads once",
	"dial.DecodeOptions":     "what EncodeOptions wrote",
	"dial.HostTable.Lookup*": "a map",
	"dial.KeyLog.Write":      "writes",
	"digest.Memory.*":        "a map",
	"fieldvalue.*.*":         "looks in a list that ParseChallenges or ParseLinks made",
	"h1.Append*":             "writes what the caller gave, each byte once",
	"h1.Check*":              "looks at each byte once",
	"h1.FrameChunk":          "writes",
	"h1.ChunkWriter.*":       "writes",
	"h1.Body.Read*":          "h1.NewReader",
	"h1.Reader.Reset":        "h1.NewReader",
	"http1.*.Read":           "h1.NewReader",
	"http2.Stream.Read":      "copies",
	"coding.NewWriter":       "the caller's",
	"nethttp.Status":         "joins texts",
	"nethttp.Target":         "compares the end of a text",
	"nethttp.IsEmpty":        "reads a byte",
	"nethttp.Given.Absolute": "joins texts, and reads each as uri.AddressOf does",
	"nethttp.HostAsGiven":    "looks for a byte, and reads a text as uri.Parse does",
	"nethttp.Body.Read":      "copies",
	"wire.Telling.Read":      "passes on",
	"pairs.*":                "lists of headers; those of requests are the caller's, those of responses bounded",
	"multipart.Append*":      "writes",
	"multipart.ContentType":  "writes",
	"multipart.Encode":       "writes",
	"multipart.Format*":      "writes",
	"multipart.Form.Read":    "writes",
	"multipart.Guess*":       "the caller's file name",
	"multipart.NewReader":    "writes",
	"multipart.*.Read":       "multipart.NewPartReader",
	"netrc.File.Lookup*":     "a map",
	"prefix.Table.*":         "a trie: each byte once",
	"proxyenv.Environ.Proxy": "a map",
	"proxyenv.Merger.*":      "proxyenv.Bypass and proxyenv.ParseURL",
	"redirect.*":             "a map",
	"refresh.Tokens.Value":   "compares",
	"secret.Add":             "the caller's",
	"secret.Format":          "the printer's",
	"secret.MarshalText":     "encoding/json",
	"secret.Names.Coded":     "Names.Body, of what a coding gives",
	"secret.Names.Opaque":    "gives the mask",
	"secret.Names.With":      "the caller's",
}

func lines(s string, by *charset.Separator, text bool) {
	scanner := charset.ScanAll([]byte(s))
	for {
		var ok bool
		var err error
		if text {
			_, ok, err = scanner.TextLine("utf-8", by, 1<<20)
		} else {
			_, ok, err = scanner.Line(by, 1<<20)
		}
		if err != nil || !ok {
			return
		}
	}
}

func response(s string) {
	r := h1.NewReader(strings.NewReader(s))
	defer r.Release()
	var head h1.ResponseHead
	if r.ReadFinalHead(&head, new(h1.Limits), nil) != nil {
		return
	}
	framing, n, err := h1.ResponseFraming("GET", &head)
	if err != nil {
		return
	}
	var body h1.Body
	body.Init(r, framing, n, new(h1.Limits))
	_, _ = body.WriteTo(io.Discard)
}

func parts(s string) {
	r := multipart.NewPartReader(strings.NewReader(s), "b")
	for {
		p, err := r.Next()
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, p)
	}
}

// answer is a peer that takes everything and has said s.
func answer(s string) io.ReadWriter {
	return struct {
		io.Reader
		io.Writer
	}{strings.NewReader(s), io.Discard}
}
