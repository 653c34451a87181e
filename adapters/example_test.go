package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// Options meet on one mount.
func Example() {
	pin, err := adapters.Fingerprint("05:C0:B3:64:36:94:47:0A:88:8C:6E:7F:EB:5C:9E:24:E8:23:DC:53")
	if err != nil {
		fmt.Println(err)
		return
	}
	source := adapters.SourceAddress(netip.MustParseAddr("10.0.0.7"))
	alive := adapters.TCPKeepAlive(60*time.Second, 20*time.Second, 5)
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", requests.NewHTTPAdapter(pin, adapters.HostHeaderSSL(), source, alive))
	fmt.Println(s.Prefixes())
	// Output: [https://api.example.com/ https:// http://]
}

func ExampleFingerprint() {
	_, err := adapters.Fingerprint("aa:bb")
	fmt.Println(err)
	// Output: fingerprint "aa:bb" has 2 bytes: expected 16 (MD5), 20 (SHA-1) or 32 (SHA-256)
}

func ExampleHandler() {
	s := requests.NewSession()
	s.Mount("http://app.test/", adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello ", r.URL.Path)
	})))
	r, err := s.Get(context.Background(), "http://app.test/world")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: hello /world <nil>
}

func ExampleMock() {
	m := adapters.NewMock()
	m.On("POST", "https://api.test/users", adapters.Match{JSON: map[string]string{"name": "ada"}}).Reply(adapters.Reply{Status: 201})
	s := requests.NewSession()
	s.Mount("https://", m)
	r, err := s.Post(context.Background(), "https://api.test/users", requests.JSON(map[string]string{"name": "ada"}))
	fmt.Println(r, err, m.Check())
	// Output: <Response [201]> <nil> <nil>
}

func ExampleData() {
	s := requests.NewSession()
	s.Mount("data:", adapters.Data())
	r, err := s.Get(context.Background(), "data:text/plain;base64,aGVsbG8=")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: hello <nil>
}

func ExampleChain() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "time" || a.Key == "duration" {
			return slog.Attr{}
		}
		return a
	}}))
	limit, err := adapters.RateLimit(100, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := requests.NewSession()
	s.Mount("data:", adapters.Chain(adapters.Data(), adapters.Logging(logger), limit))
	_, _ = s.Get(context.Background(), "data:,x")
	// Output: level=INFO msg=request method=GET url=data:,x status=200
}

func ExampleCRLFiles() {
	_, err := adapters.CRLFiles("/no/such/list.pem")
	fmt.Println(errors.Is(err, requests.ErrFile))
	s := requests.NewSession()
	s.Mount("https://", requests.NewHTTPAdapter(adapters.StapledOCSP()))
	// Output: true
}
