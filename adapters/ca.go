package adapters

import "github.com/mountable/requests"

// CA says for one mount how servers' certificates are checked: against an authority of
// the program's own ([requests.CABundle], [requests.CABundlePEM], [requests.CAPool]), or
// not at all ([requests.Verify](false)).
//
//	s.Mount("https://intern.test/", requests.NewHTTPAdapter(adapters.CA(requests.CABundle("intern.pem"))))
//
// What the call or the session says wins over it, and it wins over REQUESTS_CA_BUNDLE and
// CURL_CA_BUNDLE. It is about servers, not about https proxies.
func CA(v requests.Verification) requests.AdapterOption {
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if c.Scheme == "https" {
			c.TLS.Verify = v
		}
		return nil
	})
}
