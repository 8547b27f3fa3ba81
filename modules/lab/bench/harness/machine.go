package harness

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Machine is what a bench ran on.
type Machine struct {
	CPU       string  `json:"cpu"`
	Cores     int     `json:"cores"`
	MemoryGiB float64 `json:"memory_gib"`
	Kernel    string  `json:"kernel"`
	Load      string  `json:"load_before"` // over 1, 5 and 15 minutes
}

func thisMachine() Machine {
	m := Machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU()}
	for line := range strings.Lines(read("/proc/cpuinfo")) {
		if name, found := strings.CutPrefix(line, "model name"); found {
			m.CPU = strings.TrimSpace(strings.TrimLeft(name, " \t:"))
			break
		}
	}
	if total, err := memoryOf("/proc/meminfo", "MemTotal:"); err == nil {
		m.MemoryGiB = float64(total) / (1 << 30)
	}
	m.Kernel = strings.TrimSpace(read("/proc/sys/kernel/osrelease"))
	if fields := strings.Fields(read("/proc/loadavg")); len(fields) >= 3 {
		m.Load = strings.Join(fields[:3], " ")
	}
	return m
}

func read(file string) string {
	text, _ := os.ReadFile(file) // elsewhere there is no such file
	return string(text)
}

// builtWith are the versions of Go and of the servers that are libraries of ours.
func builtWith() map[string]string {
	versions := map[string]string{"Go": strings.TrimPrefix(runtime.Version(), "go")}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	for module, name := range map[string]string{
		"github.com/twmb/franz-go/pkg/kfake": "kfake",
		"github.com/alicebob/miniredis/v2":   "miniredis",
	} {
		if i := slices.IndexFunc(info.Deps, func(d *debug.Module) bool { return d.Path == module }); i >= 0 {
			versions[name] = info.Deps[i].Version
		}
	}
	return versions
}

// askString reads one text.
func askString(ctx context.Context, client *clickhouse.Client, query string) (string, error) {
	var column proto.ColStr
	err := client.Read(ctx, clickhouse.Query{
		Name:  "bench",
		Query: ch.Query{Body: query, Result: proto.Results{{Data: &column}}},
	})
	if err != nil || column.Rows() != 1 {
		return "", err
	}
	return column.Row(0), nil
}

// Count reads one number.
func (on *Environment) Count(ctx context.Context, query string) (int64, error) {
	var n proto.ColInt64
	err := on.ClickHouse.Read(ctx, clickhouse.Query{
		Name:  "bench",
		Query: ch.Query{Body: query, Result: proto.Results{{Data: &n}}},
	})
	if err != nil || n.Rows() != 1 {
		return 0, err
	}
	return n.Row(0), nil
}
