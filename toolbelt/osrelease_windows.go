package toolbelt

import (
	"fmt"
	"syscall"
	"unsafe"
)

var versionNumbers = syscall.NewLazyDLL("ntdll.dll").NewProc("RtlGetNtVersionNumbers")

// osRelease is the version of Windows, as "10.0.22631". GetVersion would name an
// older one to a program without a manifest.
func osRelease() string {
	if versionNumbers.Find() != nil {
		return ""
	}
	var major, minor, build uint32
	versionNumbers.Call(uintptr(unsafe.Pointer(&major)), uintptr(unsafe.Pointer(&minor)), uintptr(unsafe.Pointer(&build)))
	return fmt.Sprintf("%d.%d.%d", major, minor, build&0xffff)
}
