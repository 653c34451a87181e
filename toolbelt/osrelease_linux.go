package toolbelt

import (
	"os"
	"strings"
)

// osRelease is the kernel's release, "" where /proc is not to be read.
func osRelease() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(release))
}
