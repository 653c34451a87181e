// Package version knows which version of this module a program has.
package version

import (
	"runtime/debug"
	"sync"
)

// The names that requests carry: of a session, and of an adapter that an http.Client uses without one.
var (
	UserAgent          = sync.OnceValue(func() string { return "go-requests/" + version() })
	TransportUserAgent = sync.OnceValue(func() string { return "go-requests-transport/" + version() })
)

// version is that of this module in the program.
func version() string {
	const path = "github.com/mountable/requests"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return source
	}
	for _, dep := range info.Deps {
		if dep.Path == path && dep.Replace == nil && len(dep.Version) > 1 && dep.Version != "v0.0.0" {
			return dep.Version[1:]
		}
	}
	return source
}

// source names the version where the build does not: in the module itself, and where
// another copy stands in for it.
const source = "0.2.0"

// AddNames adds what urllib3 adds to a request that has no Accept-Encoding or no User-Agent.
func AddNames(fields [][2]string, has func(name string) bool) [][2]string {
	if !has("Accept-Encoding") {
		fields = append(fields, [2]string{"Accept-Encoding", "identity"})
	}
	if !has("User-Agent") {
		fields = append(fields, [2]string{"User-Agent", TransportUserAgent()})
	}
	return fields
}
