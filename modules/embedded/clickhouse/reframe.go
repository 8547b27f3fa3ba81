package clickhouse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds on one block. Memory is reserved as its bytes arrive, so they are limits, not costs.
const (
	maxBlockColumns = 10_000
	maxBlockRows    = 64 << 20
	maxBlockBytes   = 1 << 30
)

// framing is one of the two ways in which blocks are written. The engine's Native format has only the columns; on the wire a
// block has a header of its own, and each column says whether its encoding is the usual one.
type framing bool

const (
	nativeFormat framing = false
	nativeWire   framing = true
)

// column is a column's name and type, and the layout that follows from it.
type column struct {
	name, typeName string
	layout         layout
}

// reframer passes blocks from one framing to the other, column by column, without decoding values.
type reframer struct {
	in  *bufio.Reader
	out []byte
	// columns and rows are of the last block.
	columns []column
	rows    uint64
	// typeNames, if set, are written instead of the types that were read.
	typeNames []string

	start   int // of the block in out
	scratch []byte
}

// block reads one block in the framing from, and appends it in the framing to.
func (r *reframer) block(from, to framing) error {
	r.start = len(r.out)
	if from == nativeWire {
		if err := r.skipBlockInfo(); err != nil {
			return err
		}
	}
	count, err := readUvarint(r.in)
	if err != nil {
		return err
	}
	if r.rows, err = readUvarint(r.in); err != nil {
		return noEOF(err)
	}
	if count > maxBlockColumns || r.rows > maxBlockRows {
		return malformedf("a block of %d columns and %d rows; at most %d and %d are accepted", count, r.rows, maxBlockColumns, maxBlockRows)
	}
	if to == nativeWire {
		r.out = appendBlockInfo(r.out)
	}
	r.out = binary.AppendUvarint(r.out, count)
	r.out = binary.AppendUvarint(r.out, r.rows)
	for i := range int(count) {
		if err := r.column(i, from, to); err != nil {
			return fmt.Errorf("column %d: %w", i, noEOF(err))
		}
	}
	r.columns = r.columns[:count]
	return nil
}

func (r *reframer) column(i int, from, to framing) error {
	if err := r.columnType(i); err != nil {
		return err
	}
	c := &r.columns[i]
	r.out = appendString(r.out, c.name)
	if i < len(r.typeNames) {
		r.out = appendString(r.out, r.typeNames[i])
	} else {
		r.out = appendString(r.out, c.typeName)
	}
	if from == nativeWire {
		encoding, err := r.in.ReadByte()
		if err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
		if encoding != 0 {
			return malformedf("the custom encoding of column %q is not supported", c.name)
		}
	}
	if to == nativeWire {
		r.out = append(r.out, 0)
	}
	if r.rows == 0 {
		return nil
	}
	if err := r.prefix(&c.layout); err != nil {
		return err
	}
	return r.values(&c.layout, r.rows)
}

// columnType reads a column's name and type. They hardly ever differ from the last block's, and then cost nothing.
func (r *reframer) columnType(i int) (err error) {
	if i == len(r.columns) {
		if i < cap(r.columns) {
			r.columns = r.columns[:i+1]
		} else {
			r.columns = append(r.columns, column{})
		}
	}
	c := &r.columns[i]
	if r.scratch, err = readBytes(r.scratch[:0], r.in, maxName); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if c.name != string(r.scratch) {
		c.name = string(r.scratch)
	}
	if r.scratch, err = readBytes(r.scratch[:0], r.in, maxName); err != nil {
		return fmt.Errorf("type of %q: %w", c.name, err)
	}
	if c.typeName != string(r.scratch) || c.typeName == "" {
		c.typeName = string(r.scratch)
		if c.layout, err = parseLayout(c.typeName); err != nil {
			err = exceptionf(codeNotImplemented, "Column %q: %v", c.name, err)
			c.typeName = ""
			return err
		}
	}
	return nil
}

// prefix copies what comes once before the values: the version of each dictionary in the type.
func (r *reframer) prefix(l *layout) error {
	if l.kind == layoutLowCardinality {
		version, err := r.uint64()
		if err == nil && version != 1 {
			err = malformedf("the version of a dictionary is %d", version)
		}
		return err
	}
	for i := range l.elems {
		if err := r.prefix(&l.elems[i]); err != nil {
			return err
		}
	}
	return nil
}

// skipBlockInfo reads past the fields before a block, which only matter to servers among each other.
func (r *reframer) skipBlockInfo() error {
	for {
		field, err := readUvarint(r.in)
		if err != nil {
			return err
		}
		switch field {
		case 0:
			return nil
		case 1:
			err = discard(r.in, 1)
		case 2:
			err = discard(r.in, 4)
		default:
			err = malformedf("field %d of a block", field)
		}
		if err != nil {
			return err
		}
	}
}

func appendBlockInfo(b []byte) []byte {
	return append(b, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0)
}

// noEOF says that the bytes ended in the middle of something.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w", io.ErrUnexpectedEOF)
	}
	return err
}
