//go:build !unix

package hitl

import "syscall"

var detached = &syscall.SysProcAttr{}
