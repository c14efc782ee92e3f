package fault

import (
	"flag"
	"os"
	"testing"
)

// The tests' flags.
var (
	kills = flag.Int("kills", 4, "how often each test kills")
	seed  = flag.Uint64("seed", 0, "of the random moments; 0: another one each time, which is printed")
)

// roleEnv makes this test binary the service.
const roleEnv = "TASKFLOW_FAULT_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == "service" {
		os.Exit(serve())
	}
	os.Exit(m.Run())
}
