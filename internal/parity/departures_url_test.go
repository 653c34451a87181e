package parity

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// Departures in URLs, hosts, redirects and proxies.

var urlDepartures = map[string]departure{
	"one-reading-of-a-host": {[]string{"prepare_url", "next_request"}, hasTwoReadings, refusedOrFolded},
	"hosts-that-are-none":   {[]string{"prepare_url", "next_request"}, hostIsNone, refusedAs(requests.ErrInvalidURL)},
	"zones":                 {[]string{"requests_wire", "adapter_request_url"}, sendsZone, withoutZone},
	"brackets-are-the-parsers-matter": {
		[]string{"get_auth_from_url", "urldefragauth", "urljoin"}, recordedError("ValueError"), parsingRefuses},
	"ports-are-numbers": {[]string{"should_strip_auth"}, hasNoPort, refusedAs(requests.ErrInvalidURL)},
	"params-are-bytes":  {[]string{"prepare_url"}, recordedError("UnicodeDecodeError"), asWith(paramsEscaped)},
	"idna-in-redirects": {[]string{"next_request"}, locationIsIDN, hostByIDNA},
	"redirects-to-http": {[]string{"next_request"}, locationIsForeign, isNothing},
	"bytes-of-location": {[]string{"next_request", "redirect_target"}, locationHasBytes, bytesEscaped},
	"proxy-credentials-at-the-adapter": {
		[]string{"rebuild_proxies", "next_request"}, wantsProxyAuthorization, withoutProxyAuthorization},
	"ip-literals-by-value": {[]string{"should_bypass_proxies"}, isAddress, bypassByValue},
	"proxy-of-a-known-scheme": {
		[]string{"adapter_proxy_headers", "adapter_request_url", "urllib3_socks_options"}, proxyOfNoScheme, refusedAs(requests.ErrInvalidProxyURL)},
	"proxy-without-scheme": {
		[]string{"adapter_proxy_headers", "adapter_request_url", "urllib3_socks_options"}, proxyIsHostAndPort, asWith(asHTTPProxy)},
	"proxy-keys":             {[]string{"select_proxy"}, hasOtherKeys, asWith(withPlainKeys)},
	"socks-half-credentials": {[]string{"socks_handshake"}, hasHalfCredentials, offersPassword},
	"whole-label-wildcards":  {[]string{"urllib3_dnsname_match"}, wildcardIsPartial, isFalse},
}

// subject is the URL that a vector is about.
func subject(in input) string {
	if in.has("location") {
		return in.text("location")
	}
	return in.text("url")
}

// authority cuts out of a URL what stands between "//" and the path.
func authority(url string) string {
	_, rest, ok := strings.Cut(url, "//")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// hasTwoReadings finds what parsers are known to read in two ways in the authority of a URL.
func hasTwoReadings(in input, _ map[string]any) bool {
	a := authority(subject(in))
	return strings.ContainsAny(a, `\%[]`) || strings.Count(a, "@") > 1 || strings.ContainsFunc(a, unicode.IsSpace) ||
		strings.ContainsFunc(a, unicode.IsControl) || strings.Contains(strings.ToLower(a), "xn--")
}

// refusedOrFolded wants a refusal, or what was recorded with the host's letters in lower case and unescaped.
func refusedOrFolded(o observed) bool {
	if o.err != nil {
		return refusedAs(requests.ErrInvalidURL)(o)
	}
	return mismatch(foldHosts(o.want["out"]), foldHosts(normalTree(o.got))) == ""
}

func foldHosts(tree any) any {
	return mapStrings(tree, func(s string) string {
		a := authority(s)
		return strings.Replace(s, a, strings.ToLower(unescaped(a)), 1)
	})
}

// hostIsNone finds a wildcard, and names that end in a number without being an IPv4 address (WHATWG URL).
func hostIsNone(in input, _ map[string]any) bool {
	host := hostOf(subject(in))
	if strings.Contains(host, "*") {
		return true
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := labels[len(labels)-1]
	_, ok := oldAddress(host)
	return numberLabel.MatchString(last) && !ok
}

var numberLabel = regexp.MustCompile(`^(0[xX][0-9a-fA-F]*|[0-9]+)$`)

func hostOf(url string) string {
	a := authority(url)
	a = a[strings.LastIndexByte(a, '@')+1:]
	if strings.HasPrefix(a, "[") {
		return a
	}
	host, _, _ := strings.Cut(a, ":")
	return host
}

// oldAddress reads an IPv4 address as inet_aton does: one to four numbers, octal and hexadecimal ones too.
func oldAddress(host string) (netip.Addr, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		if !numberLabel.MatchString(part) {
			return netip.Addr{}, false
		}
		if strings.EqualFold(part, "0x") {
			part = "0"
		}
		n, err := strconv.ParseUint(part, 0, 64)
		bound := uint64(1) << (8 * (5 - len(parts)))
		if i < len(parts)-1 {
			bound = 256
		}
		if err != nil || strings.Contains(part, "_") || n >= bound {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			n <<= 8 * (3 - i)
		}
		sum += n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

func hostIsOldAddress(in input, _ map[string]any) bool {
	host := hostOf(subject(in))
	a, ok := oldAddress(host)
	return ok && a.String() != host
}

// zone is that of an IPv6 address in brackets.
var zone = regexp.MustCompile(`(\[[0-9a-fA-F:.]+)%[^\]/ ]+\]`)

func dropZones(s string) string { return zone.ReplaceAllString(s, "$1]") }

func sendsZone(in input, _ map[string]any) bool { return zone.MatchString(in.text("url")) }

func withoutZone(o observed) bool {
	want := o.want["out"]
	if form := recordedForms[o.kind]; form != nil {
		want = form(clone(want))
	}
	return o.err == nil && mismatch(mapStrings(want, dropZones), normalTree(o.got)) == ""
}

// parsingRefuses wants nothing read out of text in which brackets do not match, and the parser to refuse it.
func parsingRefuses(o observed) bool {
	given := o.in.text("url")
	if _, err := uri.Prepare(given, nil); o.err != nil || err == nil && o.kind != "urljoin" {
		return false
	}
	switch o.kind {
	case "get_auth_from_url":
		return mismatch([]any{"", ""}, normalTree(o.got)) == ""
	case "urldefragauth":
		bare := withUserInfo.ReplaceAllString(given, "$1$2")
		before, _, _ := strings.Cut(bare, "#")
		return o.got == bare || o.got == before
	}
	return o.got == given
}

var withUserInfo = regexp.MustCompile(`^([a-z]*:?//)?[^/?#@]*@(.*)$`)

func hasNoPort(in input, _ map[string]any) bool {
	return slices.ContainsFunc([]string{in.text("old"), in.text("new")}, func(url string) bool {
		_, port, ok := strings.Cut(authority(url), ":")
		n, err := strconv.Atoi(port)
		return ok && (err != nil || n > 65535)
	})
}

// paramsEscaped writes the bytes of params outside ASCII as escapes.
func paramsEscaped(in input) input {
	var b strings.Builder
	for _, c := range in.bytes("params") {
		if c < utf8.RuneSelf {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c), 16)))
	}
	return in.with("params", b.String())
}

func locationIsIDN(in input, _ map[string]any) bool {
	return strings.ContainsFunc(authority(in.text("location")), func(r rune) bool { return r >= utf8.RuneSelf })
}

// hostByIDNA wants the host's encoded name, or a refusal where it has none.
func hostByIDNA(o observed) bool {
	name, err := idnaLookup(hostOf(unlatin1(o.in.text("location"))))
	if err != nil {
		return refusedAs(requests.ErrInvalidURL)(o)
	}
	want := mapStrings(o.want["out"], func(s string) string {
		if a := authority(s); a != "" {
			return strings.Replace(s, a, name, 1)
		}
		return s
	})
	return o.err == nil && mismatch(want, normalTree(o.got)) == ""
}

// locationHasBytes finds bytes outside ASCII behind the authority that are not UTF-8.
func locationHasBytes(in input, _ map[string]any) bool {
	return !utf8.ValidString(unlatin1(in.text("location")))
}

// bytesEscaped wants each such byte as an escape.
func bytesEscaped(o observed) bool {
	escaped := paramsEscaped(input{map[string]any{"params": map[string]any{"b64": b64Text(unlatin1(o.in.text("location")))}}}).text("params")
	if o.kind == "redirect_target" {
		return o.err == nil && (o.got == unlatin1(o.in.text("location")) || o.got == escaped)
	}
	return asWith(func(in input) input { return in.with("location", escaped) })(o)
}

var otherScheme = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9+.-]*):`)

func locationIsForeign(in input, _ map[string]any) bool {
	m := otherScheme.FindStringSubmatch(in.text("location"))
	return m != nil && !strings.EqualFold(m[1], "http") && !strings.EqualFold(m[1], "https")
}

func idnaLookup(host string) (string, error) { return idna.Lookup.ToASCII(host) }

func isNothing(o observed) bool { return o.err == nil && o.got == nil }

func wantsProxyAuthorization(_ input, want map[string]any) bool {
	return mentioned(want["out"], "Proxy-Authorization")
}

// withoutProxyAuthorization wants everything as recorded but for the field which the adapter writes.
func withoutProxyAuthorization(o observed) bool {
	shown := eachObject(o.want["out"], func(out map[string]any) {
		pairs, ok := out["headers"].([]any)
		if !ok {
			return
		}
		out["headers"] = slices.DeleteFunc(slices.Clone(pairs), func(p any) bool { return p.([]any)[0] == "Proxy-Authorization" })
	})
	return o.err == nil && mismatch(shown, normalTree(o.got)) == ""
}

// isAddress reports whether a host is an address.
func isAddress(in input, _ map[string]any) bool {
	host := hostOf(in.text("url"))
	_, ok := oldAddress(host)
	return ok || strings.HasPrefix(host, "[")
}

// bypassByValue compares the host with each entry of no_proxy as addresses.
func bypassByValue(o observed) bool {
	host := hostOf(o.in.text("url"))
	address, ok := oldAddress(host)
	if !ok {
		var err error
		inside, _, _ := strings.Cut(strings.TrimPrefix(host, "["), "]")
		if address, err = netip.ParseAddr(strings.Split(inside, "%")[0]); err != nil {
			return false
		}
	}
	return o.err == nil && o.got == slices.ContainsFunc(noProxyEntries(o.in), func(entry string) bool { return entryHolds(entry, address.Unmap()) })
}

func noProxyEntries(in input) []string {
	text := in.text("no_proxy")
	env, _ := in.stringMap("env")
	for _, name := range []string{"no_proxy", "NO_PROXY"} {
		if text == "" {
			text = env[name]
		}
	}
	return strings.Split(strings.ReplaceAll(text, " ", ""), ",")
}

func entryHolds(entry string, address netip.Addr) bool {
	if network, err := netip.ParsePrefix(entry); err == nil {
		return network.Contains(address)
	}
	if at, ok := oldAddress(entry); ok {
		return at == address
	}
	at, err := netip.ParseAddr(strings.Trim(entry, "[]"))
	return err == nil && at.Unmap() == address || entry == "*"
}

// proxyHasNoScheme finds a proxy given without a scheme that there is, or without a host.
// proxyURLs are the proxies that an input names.
func proxyURLs(in input) []string {
	proxies := []string{in.text("proxy"), in.text("proxy_url")}
	values, _ := in.stringMap("proxies")
	for _, v := range values {
		proxies = append(proxies, v)
	}
	return slices.DeleteFunc(proxies, func(proxy string) bool { return proxy == "" })
}

func proxyOfNoScheme(in input, _ map[string]any) bool {
	return slices.ContainsFunc(proxyURLs(in), func(proxy string) bool {
		scheme, rest, ok := strings.Cut(proxy, "://")
		return ok && (rest == "" || !slices.Contains([]string{"http", "https", "socks4", "socks4a", "socks5", "socks5h"}, strings.ToLower(scheme)))
	})
}

func proxyIsHostAndPort(in input, _ map[string]any) bool {
	return slices.ContainsFunc(proxyURLs(in), func(proxy string) bool { return !strings.Contains(proxy, "://") })
}

// asHTTPProxy writes "http://" in front of a proxy without a scheme.
func asHTTPProxy(in input) input {
	for _, key := range []string{"proxy", "proxy_url"} {
		if proxy := in.text(key); proxy != "" && !strings.Contains(proxy, "://") {
			in = in.with(key, "http://"+proxy)
		}
	}
	return in
}

// hasOtherKeys finds keys of proxies in another spelling than the one that Requests looks up.
func hasOtherKeys(in input, _ map[string]any) bool {
	values, _ := in.stringMap("proxies")
	for key := range values {
		if plainKey(key) != key {
			return true
		}
	}
	return false
}

func plainKey(key string) string { return strings.TrimSuffix(strings.ToLower(key), "://") }

// withPlainKeys spells keys as Requests looks them up, but for those that are there in that spelling.
func withPlainKeys(in input) input {
	values, _ := in.fields["proxies"].(map[string]any)
	plain := maps.Clone(values)
	for key, value := range values {
		if name := plainKey(key); name != key {
			delete(plain, key)
			if _, there := values[name]; !there {
				plain[name] = value
			}
		}
	}
	return in.with("proxies", plain)
}

// hasHalfCredentials finds SOCKS 5 with a user or a password alone.
func hasHalfCredentials(in input, _ map[string]any) bool {
	return strings.HasPrefix(in.text("scheme"), "socks5") && (in.text("username") == "") != (in.text("password") == "")
}

// offersPassword wants both methods offered, and RFC 1929's message with the empty half where the server chooses that.
func offersPassword(o observed) bool {
	got, _ := o.got.(map[string]any)
	messages, _ := got["messages"].([]string)
	if len(messages) == 0 || messages[0] != "\x05\x02\x00\x02" {
		return false
	}
	if replies := o.in.list("replies"); len(replies) > 0 {
		chosen, _ := b64Value(replies[0].(map[string]any))
		if string(chosen) == "\x05\x02" {
			user, password := o.in.text("username"), o.in.text("password")
			return len(messages) > 1 && messages[1] == fmt.Sprintf("\x01%c%s%c%s", len(user), user, len(password), password)
		}
	}
	return true
}

// wildcardIsPartial finds a star that is not a whole first label with others behind it.
func wildcardIsPartial(in input, _ map[string]any) bool {
	first, rest, _ := strings.Cut(in.text("pattern"), ".")
	return strings.Contains(in.text("pattern"), "*") && (first != "*" || rest == "" || strings.Contains(rest, "*"))
}

func isFalse(o observed) bool { return o.err == nil && o.got == false }
