package requests_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// packageNames are what no text says: whoever reads it knows neither Go's packages nor these.
var packageNames = regexp.MustCompile(`\b(tls|x509|h1|dial|certs|net|http1|http2): `)

// TestTLSTexts: an error of TLS says once that it is one, with whom, and what to do where an authority is unknown.
func TestTLSTexts(t *testing.T) {
	selfSigned := httptest.NewTLSServer(http.NotFoundHandler())
	defer selfSigned.Close()
	ca := wiretest.TestCA()
	old := &tls.Config{Certificates: ca.Server().Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	for name, c := range map[string]struct {
		config *tls.Config
		verify requests.Verification
		want   string
	}{
		"unknown authority": {ca.Server(), requests.CABundlePEM(wiretest.OtherCA().PEM()), "CABundle"},
		"another name":      {ca.WrongHost(), requests.CABundlePEM(ca.PEM()), "127.0.0.1"},
		"expired":           {ca.Expired(), requests.CABundlePEM(ca.PEM()), "expired"},
		"no certificate":    {ca.ClientAuth(), requests.CABundlePEM(ca.PEM()), "the other side says"},
		"old versions":      {old, requests.CABundlePEM(ca.PEM()), "protocol version"},
		"signed by itself":  {nil, requests.Verify(true), "CABundle"},
	} {
		url := selfSigned.URL
		if c.config != nil {
			url = "https://" + wiretest.Start(t, wiretest.Config{TLS: c.config}).Addr() + "/"
		}
		_, err := newSession(t).Get(t.Context(), url, c.verify)
		if !errors.Is(err, requests.ErrSSL) {
			t.Fatalf("%s: %v", name, err)
		}
		text := err.Error()
		if strings.Count(text, "TLS") != 1 || packageNames.MatchString(text) || !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", name, text)
		}
		if unknown := new(x509.UnknownAuthorityError); strings.Contains(c.want, "CABundle") && !errors.As(err, unknown) {
			t.Errorf("%s: the cause is gone", name)
		}
	}
}
