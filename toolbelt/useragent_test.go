package toolbelt

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGoVersion(t *testing.T) {
	for version, want := range map[string]string{
		"go1.26.1":                        "1.26.1",
		"go1.26.1 X:nocoverageredesign":   "1.26.1",
		"devel go1.27-abcdef Thu Jan 1":   "devel",
		"go1.27-devel_abcdef Thu Jan 1 0": "1.27-devel_abcdef",
	} {
		if diff := cmp.Diff(want, goVersion(version)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", version, diff)
		}
	}
}

func TestSystemName(t *testing.T) {
	for goos, want := range map[string]string{
		"linux": "Linux", "darwin": "Darwin", "windows": "Windows", "freebsd": "FreeBSD", "netbsd": "NetBSD",
		"openbsd": "OpenBSD", "dragonfly": "DragonFly", "aix": "AIX", "ios": "iOS", "js": "Js", "": "Unknown",
	} {
		if diff := cmp.Diff(want, systemName(goos)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", goos, diff)
		}
	}
}
