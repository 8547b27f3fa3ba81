package clickhouse

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTooLittleMemoryIsSaidBeforeAnythingStarts(t *testing.T) {
	const plenty = "MemTotal: 8000000 kB\nMemFree: 10000 kB\nMemAvailable: 6000000 kB\n"
	for name, machine := range map[string]struct {
		files map[string]string
		says  string
	}{
		"nothing is told": {nil, ""},
		"plenty":          {map[string]string{"proc/meminfo": plenty}, ""},
		"little": {
			map[string]string{"proc/meminfo": "MemTotal: 1000000 kB\nMemAvailable: 204800 kB\n"},
			"this machine has 200 MB left, and ClickHouse needs 400",
		},
		"a container with no end": {map[string]string{
			"proc/meminfo": plenty, "sys/fs/cgroup/memory.max": "max\n",
			"sys/fs/cgroup/memory.current": "1000\n",
		}, ""},
		"a small container": {map[string]string{
			"proc/meminfo": plenty, "sys/fs/cgroup/memory.max": "536870912\n",
			"sys/fs/cgroup/memory.current": "209715200\n",
			"sys/fs/cgroup/memory.stat":    "anon 1\ninactive_file 10485760\n",
		}, "this container has 322 MB left"},
		"a container full of files": {map[string]string{
			"proc/meminfo": plenty, "sys/fs/cgroup/memory.max": "1073741824\n",
			"sys/fs/cgroup/memory.current": "1073741824\n",
			"sys/fs/cgroup/memory.stat":    "anon 1\ninactive_file 838860800\n",
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range machine.files {
				path := filepath.Join(root, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			}
			err := EnoughMemory(root)
			if machine.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrMemory)
			require.ErrorContains(t, err, machine.says)
			require.ErrorContains(t, err, "or point clickhouse.addrs at a server of your own")
			require.NotContains(t, err.Error(), "\n")
		})
	}
}
