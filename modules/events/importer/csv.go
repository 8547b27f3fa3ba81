package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"github.com/feedrank/feedrank/modules/events/codec"
)

// table is a CSV file with a line of names at its head. Empty cells are left out.
type table struct {
	in      input
	reader  *csv.Reader
	names   []string
	row     []byte
	content []byte
}

var errNoHead = errors.New("want a line with the names of the columns at its head")

func openCSV(in input, comma rune) (source, error) {
	r := csv.NewReader(newBuffer(in))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = comma, -1, true
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		err = errNoHead
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return &table{in: in, reader: r, names: append([]string(nil), head...)}, nil
}

func (t *table) next() (row, content []byte, err error) {
	cells, err := t.reader.Read()
	var wrong *csv.ParseError
	switch {
	case errors.As(err, &wrong):
		return nil, nil, &badRow{"not CSV: " + wrong.Err.Error()}
	case err != nil:
		return nil, nil, err
	case len(cells) != len(t.names):
		return nil, nil, &badRow{fmt.Sprintf("want %d columns, not %d", len(t.names), len(cells))}
	}
	t.row, t.content = append(t.row[:0], '{'), t.content[:0]
	for i, cell := range cells {
		t.content = append(append(t.content, cell...), 0x1f)
		if cell != "" {
			t.row = appendMember(t.row, t.names[i], cell)
		}
	}
	t.row = append(t.row, '}')
	return t.row, t.content, nil
}

func (t *table) close() error { return t.in.Close() }

// appendMember appends a member of an object whose value is text.
func appendMember(b []byte, name, value string) []byte {
	b = appendName(b, name)
	return codec.AppendString(b, value)
}

func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(codec.AppendString(b, name), ':')
}
