package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// startFile names the history that a child process starts with, see TestMain.
const startFile = "TASKFLOW_BENCH_START"

// startReport is what the child process measured.
type startReport struct {
	Start    time.Duration // New and Manager.Start
	Page     time.Duration // the first page of 100
	Resident int64         // bytes, right after both
}

// TestMain is the child process when it was asked to be.
func TestMain(m *testing.M) {
	path := os.Getenv(startFile)
	if path == "" {
		os.Exit(m.Run())
	}
	report, err := startWith(path)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func startWith(path string) (report startReport, err error) {
	ctx := context.Background()
	begin := time.Now()
	m, err := taskflow.New(taskflow.WithBackend(sqlite.Open(path)), taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return report, err
	}
	if err := m.Start(ctx); err != nil {
		return report, err
	}
	report.Start = time.Since(begin)
	begin = time.Now()
	if _, err := m.List(ctx, taskflow.Query{}); err != nil {
		return report, err
	}
	report.Page = time.Since(begin)
	if report.Resident, err = residentBytes(); err != nil {
		return report, err
	}
	return report, m.Stop(ctx)
}

// residentBytes is how much memory the process occupies, as Linux counts it; 0 on other systems.
func residentBytes() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, nil // not Linux: the figure is left out
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kib int64
			_, err := fmt.Sscanf(rest, "%d kB", &kib)
			return kib << 10, err
		}
	}
	return 0, nil
}

// benchmarkStart starts a process again and again on the history at path.
func benchmarkStart(b *testing.B, path string) {
	b.Helper()
	var starts, pages []time.Duration
	var resident []int64
	for b.Loop() {
		child := exec.CommandContext(b.Context(), os.Args[0])
		child.Env = append(os.Environ(), startFile+"="+path)
		out, err := child.Output()
		if err != nil {
			b.Fatal(err)
		}
		var r startReport
		if err := json.Unmarshal(out, &r); err != nil {
			b.Fatalf("%v: %q", err, out)
		}
		starts, pages, resident = append(starts, r.Start), append(pages, r.Page), append(resident, r.Resident)
	}
	b.ReportMetric(milliseconds(quantile(starts, 0.5)), "start-p50-ms")
	b.ReportMetric(milliseconds(quantile(starts, 0.99)), "start-p99-ms")
	b.ReportMetric(milliseconds(quantile(pages, 0.5)), "page-p50-ms")
	b.ReportMetric(float64(quantile(resident, 0.5))/1e6, "rss-MB")
}
