package roots

import (
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/x509roots/fallback/bundle"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// TestRule44EmbeddedRootsAreDated tells the date of the roots, and that it is the
// date of what go.mod asks for.
func TestRule44EmbeddedRootsAreDated(t *testing.T) {
	t.Logf("Mozilla's roots of %s (%s)", Date().Format(time.DateOnly), Version())
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(mod), source+" "+pinned+"\n") {
		t.Errorf("go.mod asks for another version than %s: have pinned follow it", pinned)
	}
	if diff := cmp.Diff(pinned, Version()); diff != "" {
		t.Errorf("version of the build (-want +got)\n%s", diff)
	}
	if Date().Year() < 2026 || Date().Location() != time.UTC {
		t.Errorf("date %v", Date())
	}
}

func TestDateOf(t *testing.T) {
	day := time.Date(2026, 10, 30, 15, 31, 54, 0, time.UTC)
	for version, want := range map[string]time.Time{
		"v0.0.0-20261030153154-30a33513ff6d":       day,
		"v1.2.4-0.20261030153154-30a33513ff6d":     day,
		"v1.2.3-pre.0.20261030153154-30a33513ff6d": day,
		"v0.0.0-20261030153154-30a33513ff6d+dirty": day,
		"v0.0.0-20261399153154-30a33513ff6d":       {},
		"v1.2.3":                                   {},
		"(devel)":                                  {},
		"":                                         {},
	} {
		if diff := cmp.Diff(want, dateOf(version)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", version, diff)
		}
	}
}

func TestVersionIn(t *testing.T) {
	other := &debug.Module{Path: "golang.org/x/crypto", Version: "v0.1.0"}
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"no information": {nil, pinned},
		"no modules":     {&debug.BuildInfo{}, pinned},
		"another module": {&debug.BuildInfo{Deps: []*debug.Module{other}}, pinned},
		"newer":          {&debug.BuildInfo{Deps: []*debug.Module{other, {Path: source, Version: "v2"}}}, "v2"},
		"replaced": {&debug.BuildInfo{Deps: []*debug.Module{
			{Path: source, Version: "v2", Replace: &debug.Module{Path: "example.com/fork", Version: "v3"}},
		}}, "v3"},
	} {
		if diff := cmp.Diff(c.want, versionIn(c.info)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// mozilla are the certificates of the bundle.
func mozilla(t *testing.T) (certs []*x509.Certificate) {
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, cert)
	}
	if len(certs) < 100 {
		t.Fatalf("%d roots", len(certs))
	}
	return certs
}

// trusts verifies every certificate, as of a day of its own life, against a pool: nil
// is the system's.
func trusts(t *testing.T, pool *x509.CertPool, certs []*x509.Certificate) {
	for _, cert := range certs {
		_, err := cert.Verify(x509.VerifyOptions{
			Roots: pool, CurrentTime: cert.NotBefore.Add(time.Hour), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		if err != nil {
			t.Errorf("%s: %v", cert.Subject, err)
		}
	}
}

func TestBundleHoldsEveryRoot(t *testing.T) { trusts(t, pool(), mozilla(t)) }

// TestPoolOf keeps limits, and gets over what it cannot read.
func TestPoolOf(t *testing.T) {
	good, limited := wiretest.NewCA("good"), wiretest.NewCA("limited")
	late := errors.New("issued too late")
	p := poolOf(slices.Values([]bundle.Root{
		{Certificate: []byte("nonsense")},
		{Certificate: good.Certificate.Raw},
		{Certificate: limited.Certificate.Raw, Constraint: func([]*x509.Certificate) error { return late }},
	}))
	for name, c := range map[string]struct {
		ca *wiretest.CA
		ok bool
	}{"good": {good, true}, "limited": {limited, false}, "other": {wiretest.OtherCA(), false}} {
		leaf := c.ca.Issue(wiretest.Leaf{Hosts: wiretest.Hosts}).Leaf
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: p}); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBundleReplaces has the bundle alone decide, over what the environment says.
func TestBundleReplaces(t *testing.T) {
	ca := wiretest.TestCA()
	server := wiretest.Start(t, wiretest.Config{TLS: ca.Server()})
	t.Setenv("REQUESTS_CA_BUNDLE", wiretest.File(t, "ca.pem", ca.PEM()))
	s := requests.NewSession()
	defer s.Close()
	if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
		t.Error(err)
	}
	s.Verify = Bundle()
	var unknown x509.UnknownAuthorityError
	if _, err := s.Get(t.Context(), server.URL("/")); !errors.Is(err, requests.ErrSSL) || !errors.As(err, &unknown) {
		t.Errorf("an authority that is not Mozilla's: %v", err)
	}
	if _, err := s.Get(t.Context(), server.URL("/"), requests.CABundlePEM(ca.PEM())); err != nil {
		t.Error("the call replaces the bundle:", err)
	}
	if first, second := Bundle(), Bundle(); first != second {
		t.Error("two bundles differ: requests would not share connections")
	}
}

// TestFallback runs this test again in a process that finds no system roots.
func TestFallback(t *testing.T) {
	if os.Getenv("ROOTS_TEST_CHILD") != "" {
		trusts(t, nil, mozilla(t))
		return
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		t.Skip("Windows and macOS verify with roots of their own, so the embedded ones are never asked")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFallback$")
	cmd.Env = append(os.Environ(), "ROOTS_TEST_CHILD=1", "SSL_CERT_FILE="+os.DevNull, "SSL_CERT_DIR="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
