//go:build unix

package hitl

import "syscall"

// A session of its own, so a process group of its own and no terminal.
var detached = &syscall.SysProcAttr{Setsid: true}
