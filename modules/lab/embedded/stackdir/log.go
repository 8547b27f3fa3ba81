package stackdir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	logLimit  = 16 << 20 // bytes; a longer log is cut at the next start
	tailLines = 15
	tailBytes = 8 << 10
)

// OpenLog opens the log of a server and returns where the next line will be.
func OpenLog(path string) (file *os.File, from int64, err error) {
	file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("log: %w", err)
	}
	from, err = file.Seek(0, io.SeekEnd)
	if err == nil && from > logLimit {
		from, err = 0, file.Truncate(0)
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("log: %w", err), file.Close())
	}
	return file, from, nil
}

// LogTail returns the last lines that were written after from.
func LogTail(path string, from int64) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }() // only read
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	from = max(from, size-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(file, from, size-from))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
