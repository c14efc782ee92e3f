//go:build !unix

package tasks_test

import "errors"

// childRole is not used here: other systems have no signals to send to a child.
const childRole = "TASKFLOW_TEST_CHILD"

func child() error { return errors.New("signals are tested on Unix") }
