package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// The formats of files.
const (
	CSV     = "csv"
	TSV     = "tsv"
	JSONL   = "jsonl"
	Parquet = "parquet"
)

// Stdin is the name of the standard input.
const Stdin = "-"

// source gives the rows of a file, one after another, and io.EOF after the last.
type source interface {
	// next is the next row as a JSON object, and what it is in the file, from which an id can be made. Both are valid
	// until the next call. A badRow is an error of this row alone.
	next() (row, content []byte, err error)
	close() error
}

// badRow is what is wrong with a row that is none.
type badRow struct{ reason string }

func (e *badRow) Error() string { return e.reason }

// formatOf guesses a file's format by its name.
func formatOf(name string) (string, error) {
	base := strings.TrimSuffix(strings.ToLower(name), ".gz")
	switch filepath.Ext(base) {
	case ".csv":
		return CSV, nil
	case ".tsv":
		return TSV, nil
	case ".jsonl", ".ndjson", ".json":
		return JSONL, nil
	case ".parquet":
		return Parquet, nil
	}
	return "", errFormat
}

var (
	errFormat  = errors.New("say with --format what it is: csv, tsv, jsonl or parquet")
	errNotHere = errors.New("parquet is read from files only, not from the standard input and not from .gz")
)

// open opens a file in a format.
func open(name, format string, stdin io.Reader) (source, error) {
	if format == Parquet {
		if name == Stdin || strings.HasSuffix(name, ".gz") {
			return nil, errNotHere
		}
		return openParquet(name)
	}
	in := input{Reader: stdin}
	if name != Stdin {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		in = input{file, []io.Closer{file}}
	}
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(in.Reader)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("gzip: %w", err), in.Close())
		}
		in = input{z, append([]io.Closer{z}, in.closers...)}
	}
	switch format {
	case JSONL:
		return &lines{in: in, buffer: newBuffer(in)}, nil
	case TSV:
		return openCSV(in, '\t')
	default:
		return openCSV(in, ',')
	}
}

// input is what a file is read from.
type input struct {
	io.Reader

	closers []io.Closer
}

// Close closes all of it.
func (i input) Close() (failed error) {
	for _, c := range i.closers {
		failed = errors.Join(failed, c.Close())
	}
	return failed
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// newBuffer reads ahead, without a byte order mark.
func newBuffer(in io.Reader) *bufio.Reader {
	b := bufio.NewReaderSize(in, 1<<20)
	if first, err := b.Peek(len(byteOrderMark)); err == nil && bytes.Equal(first, byteOrderMark) {
		_, _ = b.Discard(len(byteOrderMark)) // they are there
	}
	return b
}

// lines are JSON lines. Empty ones are left out.
type lines struct {
	in     input
	buffer *bufio.Reader
}

func (l *lines) next() (row, content []byte, err error) {
	for {
		line, err := l.buffer.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = l.buffer.ReadSlice('\n')
			}
			return nil, nil, &badRow{"the line is longer than a megabyte"}
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, line, nil
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

func (l *lines) close() error { return l.in.Close() }
