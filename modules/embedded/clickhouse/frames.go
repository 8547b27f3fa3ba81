package clickhouse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-faster/city"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// The compressed form of a block is a row of frames: checksum (16 bytes), method (1), the frame's size from the method on (4), the
// size of what is in it (4), and the compressed bytes.
const (
	frameChecksum = 16
	frameHeader   = frameChecksum + 9
	methodNone    = 0x02
	methodLZ4     = 0x82
	methodZSTD    = 0x90

	// maxFrame bounds a frame on both sides of the compression. ch-go makes one frame of each block.
	maxFrame = 256 << 20
	// readStep is how far memory is reserved ahead of what has arrived.
	readStep = 1 << 20
)

// frameReader reads what is in compressed frames.
type frameReader struct {
	src  *bufio.Reader
	raw  []byte
	data []byte
	pos  int
	zstd *zstd.Decoder
}

func (f *frameReader) Read(p []byte) (int, error) {
	for f.pos >= len(f.data) {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.data[f.pos:])
	f.pos += n
	return n, nil
}

func (f *frameReader) next() error {
	f.pos, f.data = 0, f.data[:0]
	header, err := f.src.Peek(frameHeader)
	if err != nil {
		return fmt.Errorf("frame header: %w", err)
	}
	size := int64(binary.LittleEndian.Uint32(header[frameChecksum+1:]))
	dataSize := int64(binary.LittleEndian.Uint32(header[frameChecksum+5:]))
	if size < frameHeader-frameChecksum || size > maxFrame || dataSize > maxFrame {
		return malformedf("a frame of %d bytes for %d", size, dataSize)
	}
	if f.raw, err = appendFrom(f.raw[:0], f.src, uint64(size)+frameChecksum); err != nil {
		return fmt.Errorf("frame: %w", err)
	}
	sum := city.CH128(f.raw[frameChecksum:])
	if binary.LittleEndian.Uint64(f.raw) != sum.Low || binary.LittleEndian.Uint64(f.raw[8:]) != sum.High {
		return malformedf("the checksum of a frame is wrong")
	}
	return f.decompress(f.raw[frameChecksum], f.raw[frameHeader:], int(dataSize))
}

func (f *frameReader) decompress(method byte, body []byte, size int) error {
	switch method {
	case methodNone:
		if len(body) != size {
			return malformedf("a frame of %d bytes says %d", len(body), size)
		}
		f.data = append(f.data, body...)
	case methodLZ4:
		// LZ4 expands at most 255 times, so a small frame cannot ask for much memory.
		if size > 255*len(body)+64 {
			return malformedf("a frame of %d bytes says %d", len(body), size)
		}
		if cap(f.data) < size {
			f.data = make([]byte, size)
		}
		f.data = f.data[:size]
		if n, err := lz4.UncompressBlock(body, f.data); err != nil || n != size {
			f.data = f.data[:0]
			return malformedf("an LZ4 frame of %d bytes gives %d instead of %d: %v", len(body), n, size, err)
		}
	case methodZSTD:
		if f.zstd == nil {
			d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxFrame))
			if err != nil {
				return fmt.Errorf("zstd decoder: %w", err)
			}
			f.zstd = d
		}
		data, err := f.zstd.DecodeAll(body, f.data)
		if err != nil || len(data) != size {
			return malformedf("a ZSTD frame of %d bytes gives %d instead of %d: %v", len(body), len(data), size, err)
		}
		f.data = data
	default:
		return malformedf("compression method 0x%02x is unknown", method)
	}
	return nil
}

// leftover is how much of the last frame was not read.
func (f *frameReader) leftover() int { return len(f.data) - f.pos }

func (f *frameReader) close() {
	if f.zstd != nil {
		f.zstd.Close()
	}
}

// release gives back the memory of an unusually large frame.
func (f *frameReader) release() {
	if cap(f.raw) > keepBuffer {
		f.raw = nil
	}
	if cap(f.data) > keepBuffer {
		f.data, f.pos = nil, 0
	}
}

// errMalformed marks bytes that no client of the protocol sends; what follows them cannot be understood either.
var errMalformed = errors.New("malformed packet")

func malformedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errMalformed, fmt.Sprintf(format, args...))
}

// appendFrom appends the next n bytes of r to dst, reserving memory only as they arrive.
func appendFrom(dst []byte, r io.Reader, n uint64) ([]byte, error) {
	for n > 0 {
		step := int(min(n, readStep))
		start := len(dst)
		if cap(dst)-start < step {
			grown := make([]byte, start, max(2*cap(dst), start+step))
			copy(grown, dst)
			dst = grown
		}
		dst = dst[:start+step]
		if _, err := io.ReadFull(r, dst[start:]); err != nil {
			return dst[:start], err
		}
		n -= uint64(step)
	}
	return dst, nil
}
