package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// checkpointSuffix is what the name of a file's checkpoint ends in.
const checkpointSuffix = ".feedrank-import"

// checkpoint says how far the import of a file is. All rows before it are refused, or in Kafka on all replicas.
type checkpoint struct {
	Import  string           `json:"import"` // which import it is of: see fingerprint
	Prefix  int64            `json:"prefix"` // the bytes of the file that went into it
	Rows    int64            `json:"rows"`
	Sent    int64            `json:"sent"`
	Refused map[string]int64 `json:"refused,omitempty"`
}

// mostPrefix bounds how much of a file is looked at to know it again.
const mostPrefix = 1 << 20

// fingerprint tells one import of a file from another: how it is read, where it goes, and so many bytes of it. A file
// that has grown is the same. It also says how many bytes there were.
func fingerprint(name string, prefix int64, how any) (string, int64, error) {
	options, err := json.Marshal(how)
	if err != nil {
		return "", 0, fmt.Errorf("fingerprint: %w", err)
	}
	file, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	sum := sha256.New()
	sum.Write(options)
	n, err := io.Copy(sum, io.LimitReader(file, prefix))
	if err = errors.Join(err, file.Close()); err != nil {
		return "", 0, fmt.Errorf("%s: %w", name, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), n, nil
}

// readCheckpoint is a file's checkpoint, or a new one where there is none of this import: rows that are sent again
// count once.
func readCheckpoint(name string, how any) (checkpoint, error) {
	text, err := os.ReadFile(name + checkpointSuffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	var c checkpoint
	if err == nil && json.Unmarshal(text, &c) == nil {
		of, n, err := fingerprint(name, c.Prefix, how)
		if err != nil {
			return checkpoint{}, err
		}
		if of == c.Import && n == c.Prefix {
			if c.Refused == nil {
				c.Refused = map[string]int64{}
			}
			return c, nil
		}
	}
	return newCheckpoint(name, how)
}

func newCheckpoint(name string, how any) (checkpoint, error) {
	of, n, err := fingerprint(name, mostPrefix, how)
	return checkpoint{Import: of, Prefix: n, Refused: map[string]int64{}}, err
}

// write puts it in the place of the one before.
func (c checkpoint) write(name string) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	part := name + checkpointSuffix + ".part"
	if err = os.WriteFile(part, append(text, '\n'), 0o600); err == nil {
		err = os.Rename(part, name+checkpointSuffix)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}
