package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// format is that of a manifest; another one is not read.
const format = 1

// Manifest says what a backup holds.
type Manifest struct {
	Format   int       `json:"format"`
	Feedrank string    `json:"feedrank"` // the version that made it
	Begun    time.Time `json:"begun"`
	Finished time.Time `json:"finished"`

	ClickHouse ClickHouse `json:"clickhouse"`
	Postgres   Postgres   `json:"postgres"`
	Files      []File     `json:"files"` // beside the manifest
}

// ClickHouse is what ClickHouse has backed up.
type ClickHouse struct {
	Database string           `json:"database"`
	To       string           `json:"to"` // file, disk:NAME or s3:COLLECTION
	Name     string           `json:"name"`
	Schema   []string         `json:"schema"` // migrations
	Tables   map[string]Table `json:"tables"`
}

// Postgres is what is kept of the schema feedrank.
type Postgres struct {
	Schema []string         `json:"schema"` // migrations
	Rows   map[string]int64 `json:"rows"`   // by table
}

// Table is what a table of ClickHouse held.
type Table struct {
	Rows uint64 `json:"rows"`
	Hash uint64 `json:"hash,string"` // of all rows, in whatever order
}

// File is one beside the manifest.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const (
	manifestName = "manifest.json"
	sumName      = "manifest.sha256"
)

// ErrDamaged says that a backup is not what it was.
var ErrDamaged = errors.New("the backup is damaged, and nothing of it was restored: take another one")

// write writes the manifest, and beside it what it hashes to.
func (m *Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	err = os.WriteFile(filepath.Join(dir, sumName), []byte(hex.EncodeToString(sum[:])+"  "+manifestName+"\n"), 0o600)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestName), text, 0o600)
}

// Read reads the manifest of a backup, and holds every file to it.
func Read(dir string) (*Manifest, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	text, err := root.ReadFile(manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no %s: it is no backup, or one that did not end", dir, manifestName)
	}
	if err != nil {
		return nil, err
	}
	said, err := root.ReadFile(sumName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	sum := sha256.Sum256(text)
	if want, _, _ := strings.Cut(string(said), " "); want != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("%w: %s is not what was written", ErrDamaged, manifestName)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, manifestName, err)
	}
	if m.Format != format {
		return nil, fmt.Errorf("%s is of the format %d, and this version reads %d: use the version %s", dir, m.Format,
			format, m.Feedrank)
	}
	for _, f := range m.Files {
		found, err := summed(root, f.Name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if found != f {
			return nil, fmt.Errorf("%w: %s is not what was written", ErrDamaged, f.Name)
		}
	}
	return &m, nil
}

func summed(root *os.Root, name string) (File, error) {
	file, err := root.Open(name)
	if err != nil {
		return File{}, err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	return File{Name: name, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// into writes a file of the backup and notes it.
func (m *Manifest) into(dir, name string, write func(io.Writer) error) (err error) {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sum := sha256.New()
	count := &counter{}
	if err := write(io.MultiWriter(file, sum, count)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m.Files = append(m.Files, File{Name: name, Bytes: count.n, SHA256: hex.EncodeToString(sum.Sum(nil))})
	return file.Sync()
}

// reading does something with a file of a backup.
func reading(dir, name string, do func(io.Reader) error) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return do(file)
}

type counter struct{ n int64 }

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
