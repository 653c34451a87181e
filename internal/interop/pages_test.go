package interop

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/coder/websocket"
	"github.com/gocolly/colly/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v74/github"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/minio/minio-go/v7"
	"github.com/mountable/requests"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/oauth2"
	"k8s.io/client-go/rest"
	"resty.dev/v3"
)

// restyCalls is the left column of coming-from-resty.md: compiled against resty 3, and never run.
func restyCalls(ctx context.Context, rt http.RoundTripper, jar http.CookieJar, cb resty.CircuitBreaker, lb resty.LoadBalancer, v, e any, id, url string) {
	c := resty.New()
	defer c.Close()
	base, path, cert, key, user, password, token := "", "", "", "", "", "", ""
	d, values := time.Second, map[string]string{}
	c.SetBaseURL(base)
	c.SetHeader("X-Team", "search")
	c.SetTimeout(d)
	c.SetProxy(url)
	c.SetRootCertificates(path)
	c.SetCertificateFromFile(cert, key)
	c.SetCookieJar(jar)
	c.SetRedirectPolicy(resty.RedirectNoPolicy())
	c.SetTransport(rt)
	c.SetDigestAuth(user, password)
	{
		f := func(*resty.Client, *resty.Request) error { return nil }
		c.AddRequestMiddleware(f)
	}
	{
		f := func(*resty.Client, *resty.Response) error { return nil }
		c.AddResponseMiddleware(f)
	}
	{
		f := func(*resty.Request, error) {}
		c.OnError(f)
	}
	c.SetCircuitBreaker(cb)
	c.SetHedging(resty.NewHedging())
	c.SetLoadBalancer(lb)
	r := c.R().SetContext(ctx).SetQueryParam("q", "go").SetPathParam("id", id).SetFormData(values).SetBody(v).SetFile("f", path)
	r.SetBasicAuth(user, password).SetAuthToken(token).SetResult(&v).SetResultError(&e)
	r.SetResponseSaveToFile(true).SetResponseSaveFileName(path).SetResponseDoNotParse(true)
	f := func(*resty.Response, error) bool { return false }
	r.SetRetryCount(3).SetRetryWaitTime(d).AddRetryConditions(f)
	r.SetTrace(true).SetDebug(true).SetCurlCmdGenerate(true)
	res, _ := r.Get(base)
	_ = res.IsStatusFailure()
	_, _ = res.Request.TraceInfo(), res.Request.CurlCmd()
	_ = resty.NewSSESource()
	s := requests.NewSession()
	_ = resty.NewWithClient(&http.Client{Transport: s.RoundTripper()})
}

// netHTTPCalls is the left column of coming-from-nethttp.md.
func netHTTPCalls(ctx context.Context, handler http.Handler, link, user, password string, v any) error {
	client := &http.Client{Timeout: 30 * time.Second}
	req, err := http.NewRequestWithContext(ctx, "GET", link, nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Id", "1")
	req.SetBasicAuth(user, password)
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{}))
	resp, err := client.Do(req)
	if err != nil {
		var netErr net.Error
		_ = errors.As(err, &netErr) && netErr.Timeout()
		return err
	}
	defer resp.Body.Close()
	_, _ = io.ReadAll(resp.Body)
	if resp.StatusCode >= 400 {
		return errors.New(url.Values{}.Encode())
	}
	values := url.Values{}
	_, _ = client.PostForm(link, values)
	data, _ := json.Marshal(v)
	_ = multipart.NewWriter(bytes.NewBuffer(data))
	_ = bytes.NewReader(data)
	client.Jar, _ = cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
	transport := &http.Transport{}
	transport.MaxIdleConnsPerHost = 10
	transport.Proxy = http.ProxyFromEnvironment
	transport.DialContext = (&net.Dialer{}).DialContext
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	httptest.NewServer(handler).Close()
	return json.NewDecoder(resp.Body).Decode(&v)
}

// sdkCalls is the right column of the guide's page on SDKs; the other tests of this package run them.
func sdkCalls(ctx context.Context, s *requests.Session, host string) {
	_ = config.WithHTTPClient(&http.Client{Transport: s.RoundTripper()})
	_ = minio.Options{Transport: s.RoundTripper()}
	_ = github.NewClient(&http.Client{Transport: s.RoundTripper()})
	_ = rest.Config{Host: host, Transport: s.RoundTripper()}
	_ = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: s.RoundTripper()})
	client := &http.Client{Transport: s.RoundTripper()}
	_ = resty.NewWithClient(client)
	collector := colly.NewCollector()
	collector.WithTransport(s.RoundTripper())
	retry := retryablehttp.NewClient()
	retry.HTTPClient.Transport = s.RoundTripper()
	_ = websocket.DialOptions{HTTPClient: client}
	_ = httputil.ReverseProxy{Transport: s.RoundTripper()}
}

var code = regexp.MustCompile("`[^`]+`")

// TestPages finds each call of another library that the pages name in this file, so that it exists.
func TestPages(t *testing.T) {
	source, err := os.ReadFile("pages_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, _, _ = restyCalls, netHTTPCalls, sdkCalls
	blanks := strings.NewReplacer(" ", "", "\t", "", "\n", "", `\|`, "|")
	compiled := blanks.Replace(string(source))
	for _, column := range []struct {
		page  string
		cell  int
		calls int
	}{
		{"../../docs/coming-from-resty.md", 1, 40},
		{"../../docs/coming-from-nethttp.md", 1, 20},
		{"../../docs/guide/sdks.md", 2, 10},
	} {
		text, err := os.ReadFile(column.page)
		if err != nil {
			t.Fatal(err)
		}
		found, missing := 0, []string{}
		for line := range strings.Lines(string(text)) {
			cells := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
			if len(cells) < 4 || strings.HasPrefix(cells[1], " ---") {
				continue
			}
			for _, fragment := range code.FindAllString(cells[column.cell], -1) {
				call := blanks.Replace(strings.ReplaceAll(strings.Trim(fragment, "`"), "\x00", "|"))
				found++
				if !strings.Contains(compiled, strings.TrimPrefix(call, "defer")) {
					missing = append(missing, fragment)
				}
			}
		}
		if diff := cmp.Diff([]string{}, missing); diff != "" || found < column.calls {
			t.Errorf("%s: %d calls, and these are not compiled (-want +got)\n%s", column.page, found, diff)
		}
	}
}
