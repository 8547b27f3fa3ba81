package clickhouse

import "encoding/binary"

func (r *reframer) values(l *layout, rows uint64) error {
	switch l.kind {
	case layoutFixed:
		return r.copy(rows * l.size)
	case layoutString:
		return r.strings(rows)
	case layoutNullable:
		if err := r.copy(rows); err != nil {
			return err
		}
		return r.values(&l.elems[0], rows)
	case layoutArray:
		return r.array(&l.elems[0], rows)
	case layoutTuple:
		for i := range l.elems {
			if err := r.values(&l.elems[i], rows); err != nil {
				return err
			}
		}
		return nil
	case layoutLowCardinality:
		return r.dictionary(&l.elems[0], rows)
	default:
		return errUnsupportedType
	}
}

// array copies where each row's elements end, then all elements.
func (r *reframer) array(elem *layout, rows uint64) error {
	if rows == 0 {
		return nil
	}
	if err := r.copy(rows * 8); err != nil {
		return err
	}
	count := binary.LittleEndian.Uint64(r.out[len(r.out)-8:])
	if count > maxBlockBytes {
		return malformedf("an array column of %d elements", count)
	}
	return r.values(elem, count)
}

// dictionary copies the values of a LowCardinality column: pieces of distinct values and, for each row, which one it is.
func (r *reframer) dictionary(elem *layout, rows uint64) error {
	const needsGlobal, hasKeys = 1 << 8, 1 << 9
	for rows > 0 {
		kind, err := r.uint64()
		if err != nil {
			return err
		}
		width := kind & 0xff
		if width > 3 || kind&needsGlobal != 0 || kind&hasKeys == 0 {
			return malformedf("a dictionary of kind %#x", kind)
		}
		keys, err := r.uint64()
		if err != nil {
			return err
		}
		if keys > maxBlockRows {
			return malformedf("a dictionary of %d values", keys)
		}
		if err := r.values(elem, keys); err != nil {
			return err
		}
		piece, err := r.uint64()
		if err != nil {
			return err
		}
		if piece == 0 || piece > rows {
			return malformedf("a dictionary for %d rows of %d", piece, rows)
		}
		if err := r.copy(piece << width); err != nil {
			return err
		}
		rows -= piece
	}
	return nil
}

func (r *reframer) uint64() (uint64, error) {
	if err := r.copy(8); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(r.out[len(r.out)-8:]), nil
}

func (r *reframer) copy(n uint64) (err error) {
	if err := r.fits(n); err != nil {
		return err
	}
	r.out, err = appendFrom(r.out, r.in, n)
	return err
}

func (r *reframer) fits(n uint64) error {
	if n > maxBlockBytes || len(r.out)-r.start+int(n) > maxBlockBytes {
		return malformedf("a block of more than %d bytes", maxBlockBytes)
	}
	return nil
}

// strings copies strings with their lengths: as many at once as are buffered whole.
func (r *reframer) strings(count uint64) error {
	for count > 0 {
		if r.in.Buffered() == 0 {
			if _, err := r.in.Peek(1); err != nil {
				return err
			}
		}
		window, _ := r.in.Peek(r.in.Buffered())
		whole, n := wholeStrings(window, count)
		if whole > 0 {
			if err := r.fits(uint64(whole)); err != nil {
				return err
			}
			r.out = append(r.out, window[:whole]...)
			if err := discard(r.in, whole); err != nil {
				return err
			}
			count -= n
			continue
		}
		size, err := readUvarint(r.in)
		if err != nil {
			return err
		}
		if err := r.fits(size); err != nil {
			return err
		}
		r.out = binary.AppendUvarint(r.out, size)
		if err := r.copy(size); err != nil {
			return err
		}
		count--
	}
	return nil
}

// wholeStrings is the size of the strings, at most count, that lie in window to their end.
func wholeStrings(window []byte, count uint64) (size int, n uint64) {
	for n < count && size < len(window) {
		length, width := uint64(window[size]), 1
		if length >= 0x80 {
			if length, width = binary.Uvarint(window[size:]); width <= 0 {
				return size, n
			}
		}
		if length > uint64(len(window)) || size+width+int(length) > len(window) { //nolint:gosec // compared before it is converted
			return size, n
		}
		size += width + int(length) //nolint:gosec // it lies in the window
		n++
	}
	return size, n
}
