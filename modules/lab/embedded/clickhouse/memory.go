package clickhouse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrMemory is returned where a server would not come up, or be ended by the system soon.
var ErrMemory = errors.New("too little memory")

// needs is what ClickHouse takes to serve, and to merge what little a first start has.
const needs = 400 << 20

// EnoughMemory looks at what the system and the container have left. Where neither tells, there is enough. root is /.
func EnoughMemory(root string) error {
	for _, left := range []struct {
		of    string
		bytes int64
	}{{"this machine", leftOfMachine(root)}, {"this container", leftOfContainer(root)}} {
		if left.bytes >= 0 && left.bytes < needs {
			return fmt.Errorf("%w: %s has %d MB left, and ClickHouse needs %d: end other programs, raise the limit, "+
				"or point clickhouse.addrs at a server of your own", ErrMemory, left.of, left.bytes>>20,
				needs>>20)
		}
	}
	return nil
}

func leftOfMachine(root string) int64 {
	kilobytes := field(filepath.Join(root, "proc/meminfo"), "MemAvailable:")
	if kilobytes < 0 {
		return -1
	}
	return kilobytes << 10
}

// leftOfContainer takes files that were not read lately as free: the kernel gives them up first.
func leftOfContainer(root string) int64 {
	group := filepath.Join(root, "sys/fs/cgroup")
	limit, used := field(filepath.Join(group, "memory.max"), ""), field(filepath.Join(group, "memory.current"), "")
	if limit < 0 || used < 0 {
		return -1
	}
	return max(0, limit-used+max(0, field(filepath.Join(group, "memory.stat"), "inactive_file")))
}

// field is the number after a name, or the first one in a file that has no names; -1: there is none.
func field(file, name string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if name != "" {
			if len(words) < 2 || words[0] != name {
				continue
			}
			words = words[1:]
		}
		if len(words) == 0 {
			return -1
		}
		n, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil { // max
			return -1
		}
		return n
	}
	return -1
}
