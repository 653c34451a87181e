//go:build unix

package fleet

import (
	"os"
	"syscall"
)

func stopProcess(p *os.Process) bool { return p.Signal(syscall.SIGSTOP) == nil }

func continueProcess(p *os.Process) { p.Signal(syscall.SIGCONT) }
