package dial

import (
	"context"
	"net/http/httptrace"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLookupTraced: a resolver is traced itself, but its own connections are not those of the
// request; all else that the context holds is there.
func TestLookupTraced(t *testing.T) {
	type key struct{}
	var told []string
	trace := &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { told = append(told, "DNSStart") },
		ConnectStart: func(network, address string) { told = append(told, "ConnectStart "+network) },
		ConnectDone:  func(network, address string, err error) { told = append(told, "ConnectDone "+network) },
	}
	ctx := httptrace.WithClientTrace(context.WithValue(t.Context(), key{}, "value"), trace)
	p := &Plan{Host: "h.test", Resolver: resolverFunc(func(ctx context.Context, host string) ([]string, error) {
		inside := httptrace.ContextClientTrace(ctx)
		inside.DNSStart(httptrace.DNSStartInfo{Host: host})
		if inside.ConnectStart != nil || inside.ConnectDone != nil {
			told = append(told, "the connections are traced")
		}
		told = append(told, ctx.Value(key{}).(string))
		return []string{"192.0.2.1"}, nil
	})}
	if _, err := p.lookup(ctx, "h.test", "ip4"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DNSStart", "value"}, told); diff != "" {
		t.Errorf("told (-want +got)\n%s", diff)
	}
}
