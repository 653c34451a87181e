package toolbelt

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// osRelease is the version of Windows, as "10.0.22631".
func osRelease() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}
