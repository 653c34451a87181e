//go:build !unix

package fleet

import "os"

// No process can be stopped here.
func stopProcess(*os.Process) bool { return false }

func continueProcess(*os.Process) {}
