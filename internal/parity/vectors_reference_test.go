package parity

import (
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/uri"
)

// Kinds of functions below the ones that users call.
var _ = register(map[string]vectorFunc{
	"address_in_network":       addressInNetwork,
	"is_ipv4_address":          isIPv4Address,
	"is_valid_cidr":            isValidCIDR,
	"requests_adapter_retries": adapterRetries,
	"toolbelt_socket_options":  socketOptions,
	"urllib3_dnsname_match":    dnsNameMatch,
	"urllib3_match_hostname":   matchHostname,
	"urllib3_proxy_manager":    proxyManager,
})

// belowGo are the kinds for which there is nothing to call here, each with the reason.
var belowGo = map[string]string{
	"adapter_timeout":           "urllib3's form of a timeout: urllib3_timeout and the timeouts scenarios have these values",
	"auth_equality":             "credentials compare by Go's ==",
	"cert_verify":               "attributes of urllib3's pools: the tls scenarios see what they do",
	"dotted_netmask":            "netip.Prefix takes the place of netmasks as text",
	"native_string":             "Go has one type of string",
	"pool_key_attributes":       "attributes of urllib3's pools: ConnConfig takes their place",
	"status_codes":              "net/http has the names of status codes",
	"to_key_val_list":           "pairs have one type in Go",
	"toolbelt_adapter_pool":     "attributes of urllib3's pools: ConnConfig takes their place",
	"urllib3_body_to_chunks":    "how a body is cut up before it is written: requests_wire sees what is sent",
	"urllib3_connection_pool":   "urllib3's queue, with put and get without a lease: internal/pool has tests of its own",
	"urllib3_header_dict":       "operations of a Python mapping: case_insensitive_dict has what Headers can do",
	"urllib3_is_ipaddress":      "netip.ParseAddr",
	"urllib3_lru":               "the tests of internal/pool have these cases",
	"urllib3_make_headers":      "urllib3's maker of dictionaries of headers",
	"urllib3_new_pool":          "pools have no URLs of their own here",
	"urllib3_parse_url":         "a parse result of its own: prepare_url, path_url and select_proxy see what comes of it",
	"urllib3_pool_manager":      "the tests of internal/pool have these cases",
	"urllib3_proxy_set_headers": "urllib3's defaults for callers without Requests",
	"urllib3_request_field":     "fields are written by requests_encode_files and urllib3_encode_multipart",
	"urllib3_resolve_cert_reqs": "names of constants of Python's ssl",
	"urllib3_timeout_clock":     "deadlines take the place of stop watches",
	"urllib3_wire_request":      "urllib3 without Requests' adapter, which frames bodies by their headers: requests_wire",
	"urllib3_url_unparse":       "URLs are put together by prepare_url alone",
}

func init() {
	for kind, why := range belowGo {
		runners[kind] = func(*testing.T, input) (any, error) { return nil, cannot("%s", why) }
	}
	normalisers["requests_adapter_retries"] = func(tree any) any { return eachObject(tree, countsAsNumbers) }
	recordedForms["toolbelt_socket_options"] = func(tree any) any {
		return eachObject(tree, func(o map[string]any) { delete(o, "proxy_gets_options") }) // they do here
	}
}

// covered asks whether a no_proxy list covers an address.
func covered(t *testing.T, ip, noProxy string) (bool, error) {
	s := newSession(t)
	s.TrustEnv = true
	t.Setenv("http_proxy", "http://proxy.test:3128")
	t.Setenv("no_proxy", noProxy)
	d, err := explained(s, "http://"+ip+"/", nil)
	return d.Proxy == "", err
}

func addressInNetwork(t *testing.T, in input) (any, error) {
	ip, network := in.text("ip"), in.text("net")
	if _, ok := uri.ParseIPv4(ip); !ok {
		return nil, fmt.Errorf("%q is no address", ip)
	}
	if valid, _ := isValidCIDR(t, input{map[string]any{"value": network}}); valid == false {
		if strings.HasSuffix(network, "/0") {
			return nil, cannot("a network of every address: is_valid_cidr keeps it from coming up")
		}
		return nil, fmt.Errorf("%q is no network", network)
	}
	return covered(t, ip, network)
}

// isIPv4Address: what is an address in a list of networks is what inet_aton knows.
func isIPv4Address(_ *testing.T, in input) (any, error) {
	if value := in.text("value"); strings.ContainsAny(value, " \t\r\n") || strings.EqualFold(value, "0x") {
		return nil, cannot("%q: glibc overlooks white space, and what comes behind, and knows no bare 0x; no host comes with these", value)
	}
	_, ok := uri.ParseIPv4(in.text("value"))
	return ok, nil
}

// isValidCIDR: a network holds its own address.
func isValidCIDR(t *testing.T, in input) (any, error) {
	network := in.text("value")
	base, mask, ok := strings.Cut(network, "/")
	addr, isAddr := uri.ParseIPv4(base)
	switch {
	case !ok || !isAddr || strings.Contains(mask, "/"):
		return false, nil
	case strings.Contains(mask, "_"):
		return nil, cannot("the number %s, which is one in Python alone", mask)
	}
	return covered(t, addr.String(), network)
}

// adapterRetries: a count is that many retries, 0 none, and none of reads, which are not counted apart.
func adapterRetries(_ *testing.T, in input) (any, error) {
	r := requests.Retry{Read: requests.RetryNever}
	if in.present("max_retries") && in.fields["max_retries"] != false {
		total, err := countOf(in.fields["max_retries"])
		if err != nil {
			return nil, err
		}
		r.Total = total
	} else {
		r.Total = requests.RetryTimes(0)
	}
	if r.Total != requests.RetryTimes(0) {
		r.Read = 0
	}
	out := retrySettings(r.State().Left)
	kept := map[string]any{}
	for _, name := range []string{"total", "connect", "read", "redirect", "status", "other", "raise_on_redirect"} {
		kept[name] = out[name]
	}
	return kept, nil
}

// countsAsNumbers: False and 0 are one thing where retries are counted, True and 1 another.
func countsAsNumbers(o map[string]any) {
	for name, value := range o {
		switch value {
		case nil:
		case false:
			o[name] = "0"
		case true:
			o[name] = "1"
		default:
			o[name] = fmt.Sprint(value)
		}
	}
}

func socketOptions(t *testing.T, in input) (any, error) {
	kwargs := in.object("kwargs")
	options, err := socketOptionsOf(in.text("cls"), kwargs)
	if err != nil {
		return nil, err
	}
	adapter := requests.NewHTTPAdapter(options...)
	defer adapter.Close()
	c, err := adapter.Plan(&requests.PreparedRequest{Method: "GET", URL: "http://h.test/"}, requests.SendOptions{})
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, o := range c.Options.All() {
		shown = append(shown, []any{socketLevels.nameOf(o.Level, 0), socketNames.nameOf(o.Name, o.Level), o.Int})
	}
	return map[string]any{"options": shown, "pool": true}, nil
}

func socketOptionsOf(cls string, kwargs input) (options []requests.AdapterOption, err error) {
	for name := range kwargs.fields {
		switch name {
		case "socket_options", "pool_connections", "pool_maxsize", "pool_block":
		case "idle", "interval", "count":
			if cls != "TCPKeepAliveAdapter" {
				return nil, fmt.Errorf("%s has no %s", cls, name)
			}
			if kwargs.int(name) == 0 {
				return nil, cannot("%s 0: zero is the default here", name)
			}
		default:
			return nil, fmt.Errorf("no option %s", name)
		}
	}
	if kwargs.has("socket_options") {
		var list []requests.SocketOption
		for _, v := range kwargs.list("socket_options") {
			o := v.([]any)
			level := socketLevels.number(o[0].(string))
			list = append(list, requests.SocketOption{Level: level, Name: socketNames.number(o[1].(string)), Int: intOf(o[2])})
		}
		options = append(options, adapters.SocketOptions(list...))
	}
	if cls != "TCPKeepAliveAdapter" {
		return options, nil
	}
	keepAlive := adapters.TCPKeepAlive(
		time.Duration(kwargs.int("idle"))*time.Second, time.Duration(kwargs.int("interval"))*time.Second, kwargs.int("count"))
	return append(options, keepAlive), nil
}

// dnsNameMatch asks crypto/x509, which checks names here, with a certificate for the pattern.
func dnsNameMatch(_ *testing.T, in input) (any, error) {
	cert := &x509.Certificate{DNSNames: []string{in.text("pattern")}}
	return cert.VerifyHostname(in.text("hostname")) == nil, nil
}

func matchHostname(_ *testing.T, in input) (any, error) {
	if in.bool("no_cert") || in.bool("check_cn") {
		return nil, cannot("no certificate at all, or one checked by its common name")
	}
	cert := &x509.Certificate{}
	for _, v := range in.list("san") {
		san := v.([]any)
		value, _ := san[1].(string)
		switch san[0] {
		case "DNS":
			cert.DNSNames = append(cert.DNSNames, value)
		case "IP Address":
			cert.IPAddresses = append(cert.IPAddresses, net.ParseIP(strings.TrimSpace(value)))
		}
	}
	host, _, _ := strings.Cut(strings.Trim(in.text("hostname"), "[]"), "%")
	if strings.HasSuffix(host, ".") || net.ParseIP(host) == nil && strings.HasPrefix(in.text("hostname"), "[") {
		return nil, cannot("the name %q: it loses its last dot, and names have no brackets", in.text("hostname"))
	}
	return "ok", cert.VerifyHostname(host)
}

// proxyManager plans the connection to each target.
func proxyManager(_ *testing.T, in input) (any, error) {
	proxy := in.text("proxy_url")
	switch {
	case proxy == "" || strings.HasPrefix(proxy, "socks") || strings.HasPrefix(proxy, "//") || !strings.Contains(proxy, "://"):
		return nil, cannot("the proxy %q, which Requests would take or put a scheme in front", proxy)
	case in.has("kw"):
		return nil, cannot("keyword arguments of urllib3's manager")
	}
	u, err := uri.Parse(proxy)
	if err != nil {
		return nil, err
	}
	targets := []any{}
	for _, url := range in.texts("targets") {
		c, err := planned(url, requests.Proxies{"all": proxy})
		if err != nil {
			return nil, err
		}
		scheme, host, port := c.Scheme, c.Host, c.Port
		if !c.Proxy.Tunnel {
			scheme, host, port = c.Proxy.Scheme, c.Proxy.Host, c.Proxy.Port
		}
		targets = append(targets, []any{scheme, host, port, c.Proxy.Tunnel, !c.Proxy.Tunnel, []any{}})
	}
	u.Port = u.EffectivePort()
	return map[string]any{"proxy": u.String(), "targets": targets}, nil
}

// socketConstants are numbers by their names; the names of options count within their level.
type socketConstants map[string][2]int

func (s socketConstants) number(name string) int { return s[name][0] }

func (s socketConstants) nameOf(number, level int) string {
	for name, c := range s {
		if c == [2]int{number, level} {
			return name
		}
	}
	return strconv.Itoa(number)
}

var socketLevels = socketConstants{"SOL_SOCKET": {syscall.SOL_SOCKET, 0}, "IPPROTO_TCP": {syscall.IPPROTO_TCP, 0}}

var socketNames = socketConstants{
	"SO_KEEPALIVE": {syscall.SO_KEEPALIVE, syscall.SOL_SOCKET}, "SO_RCVBUF": {syscall.SO_RCVBUF, syscall.SOL_SOCKET},
	"TCP_NODELAY": {syscall.TCP_NODELAY, syscall.IPPROTO_TCP}, "TCP_KEEPINTVL": {syscall.TCP_KEEPINTVL, syscall.IPPROTO_TCP},
	"TCP_KEEPCNT": {syscall.TCP_KEEPCNT, syscall.IPPROTO_TCP}, "TCP_KEEPIDLE": {syscall.TCP_KEEPIDLE, syscall.IPPROTO_TCP},
}
