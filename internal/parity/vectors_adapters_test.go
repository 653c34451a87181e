package parity

import (
	"net"
	"strconv"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

var _ = register(map[string]vectorFunc{
	"toolbelt_source_address":  sourceAddress,
	"toolbelt_host_header_ssl": hostHeaderSSL,
})

// sourceAddress reads the address back from connections: direct, and to a proxy.
func sourceAddress(t *testing.T, in input) (any, error) {
	value := in.typed(t, "value")
	text, err := sourceText(value)
	if err != nil {
		return nil, err
	}
	option, err := adapters.ParseSourceAddress(text)
	if err != nil {
		return nil, err
	}
	adapter := requests.NewHTTPAdapter(option)
	show := func(proxies requests.Proxies) any {
		plan, _ := adapter.Plan(&requests.PreparedRequest{Method: "GET", URL: "http://h.test/"}, requests.SendOptions{Proxies: proxies})
		address := ""
		if plan.LocalAddr.Addr().IsValid() {
			address = plan.LocalAddr.Addr().String()
		}
		if _, ok := value.([]byte); ok {
			return []any{map[string]any{"b64": []byte(address)}, int(plan.LocalAddr.Port())}
		}
		return []any{address, int(plan.LocalAddr.Port())}
	}
	direct := show(nil)
	return map[string]any{
		"source_address": direct, "pool_source_address": direct,
		"proxy_source_address": show(requests.Proxies{"http": "http://proxy.test:3128"}),
	}, nil
}

// sourceText writes an address down as this library takes it.
func sourceText(value any) (string, error) {
	switch value := value.(type) {
	case string:
		return value, nil
	case []byte:
		return string(value), nil
	case tuple:
		if len(value) == 2 {
			return net.JoinHostPort(value[0].(string), strconv.Itoa(int(value[1].(int64)))), nil
		}
	}
	return "", cannot("%v for an address, which is text", value)
}

// hostHeaderSSL plans the connection of each step, all through one adapter.
func hostHeaderSSL(_ *testing.T, in input) (any, error) {
	adapter := requests.NewHTTPAdapter(adapters.HostHeaderSSL())
	out := []any{}
	for _, step := range in.list("steps") {
		p := &requests.PreparedRequest{Method: "GET", URL: "https://10.0.0.1/"}
		for _, f := range step.([]any) {
			p.Headers.Add(f.([]any)[0].(string), f.([]any)[1].(string))
		}
		plan, err := adapter.Plan(p, requests.SendOptions{})
		if err != nil {
			return nil, err
		}
		out = append(out, map[string]any{"assert_hostname": orNull(plan.TLS.VerifyName, plan.TLS.VerifyName != ""), "server_hostname": orNull(plan.TLS.ServerName, plan.TLS.ServerName != "")})
	}
	return out, nil
}
