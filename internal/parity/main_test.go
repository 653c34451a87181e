package parity

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mountable/requests/internal/cases"
)

// TestMain gives every case the surroundings the recordings were made in: no proxy, CA or netrc variables and an empty
// home directory. Most scenarios wait for sockets rather than compute, so more of them run at once than there are cores.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "16")
	os.Exit(runIsolated(m))
}

func runIsolated(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parity")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	clearEnvironment()
	os.Setenv("HOME", filepath.Join(dir, "home"))
	pkiDir = filepath.Join(dir, "pki")
	return m.Run()
}

// clearEnvironment removes every variable that a client of HTTP reads.
func clearEnvironment() {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if readByClients(strings.ToUpper(name)) {
			os.Unsetenv(name)
		}
	}
}

func readByClients(upper string) bool {
	switch upper {
	case "NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUEST_METHOD":
		return true
	}
	return strings.HasSuffix(upper, "_PROXY") || strings.HasPrefix(upper, "SSL_CERT_")
}

// caseFiles lists the JSON files of a folder of the parity directory; an empty folder is a fault, not a pass.
func caseFiles(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(cases.RecordedDir(), folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (PARITY_DIR): %v", filepath.Join(cases.RecordedDir(), folder), err)
	}
	return files
}

func baseName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), ".json")
}
