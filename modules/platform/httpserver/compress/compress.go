// Package compress gives answers as gzip to clients that take it.
package compress

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/labstack/echo/v4"
)

// compressed collects an answer and gives it out once, with its length: as it is while it is short, or as gzip.
// Answers are bounded, and so is what is collected.
type compressed struct {
	http.ResponseWriter
	least  int // bytes from which on it is worth it
	status int
	text   bytes.Buffer // what came while it was short; then what gzip made of it
	short  []byte
	z      *gzip.Writer // nil: short so far
}

var compressors = sync.Pool{New: func() any { return new(compressed) }}

var varyByCoding = []string{echo.HeaderAcceptEncoding}

// Answers gives answers of least bytes and more as gzip to clients that take it.
func Answers(least int) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			if len(h[echo.HeaderVary]) == 0 {
				h[echo.HeaderVary] = varyByCoding
			} else {
				h.Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
			}
			request := c.Request()
			if request.Method == http.MethodHead || !takesGzip(request.Header.Get(echo.HeaderAcceptEncoding)) {
				return next(c)
			}
			under := c.Response().Writer
			w, _ := compressors.Get().(*compressed)
			w.ResponseWriter, w.least, w.status = under, least, 0
			c.Response().Writer = w
			defer func() {
				c.Response().Writer = under
				w.reset()
			}()
			err := next(c)
			if flushed := w.flush(); err == nil {
				err = flushed
			}
			return err
		}
	}
}

// Unwrap is what is underneath.
func (w *compressed) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader keeps the status until it is known how the answer is given.
func (w *compressed) WriteHeader(status int) { w.status = status }

// Write collects.
func (w *compressed) Write(p []byte) (int, error) {
	if w.z == nil {
		if len(w.short)+len(p) < w.least || w.Header().Get(echo.HeaderContentEncoding) != "" {
			w.short = append(w.short, p...)
			return len(p), nil
		}
		w.z, _ = writers.Get().(*gzip.Writer)
		w.z.Reset(&w.text)
		if _, err := w.z.Write(w.short); err != nil {
			return 0, err
		}
	}
	return w.z.Write(p)
}

// writers are used again: one is large.
var writers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level exists
	return z
}}

// flush gives the answer out, if there is one.
func (w *compressed) flush() error {
	body := w.short
	if w.z != nil {
		if err := w.z.Close(); err != nil {
			return err
		}
		h := w.Header()
		h[echo.HeaderContentEncoding] = []string{"gzip"}
		h[echo.HeaderContentLength] = []string{strconv.Itoa(w.text.Len())}
		body = w.text.Bytes()
	}
	if w.status == 0 && len(body) == 0 {
		return nil // an error, which is written elsewhere
	}
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
	}
	if len(body) == 0 {
		return nil
	}
	_, err := w.ResponseWriter.Write(body)
	return err
}

// maxKept bounds the memory that is kept for the next answer.
const maxKept = 64 << 10

func (w *compressed) reset() {
	if w.z != nil {
		writers.Put(w.z)
	}
	w.ResponseWriter, w.z = nil, nil
	w.text.Reset()
	if w.short = w.short[:0]; w.text.Cap() <= maxKept && cap(w.short) <= maxKept {
		compressors.Put(w)
	}
}

// takesGzip reads Accept-Encoding (RFC 9110, 12.5.3).
func takesGzip(accept string) bool {
	for accept != "" {
		var one string
		one, accept, _ = strings.Cut(accept, ",")
		coding, weight, _ := strings.Cut(one, ";")
		coding = strings.TrimSpace(coding)
		if !strings.EqualFold(coding, "gzip") && !strings.EqualFold(coding, "x-gzip") {
			continue
		}
		_, q, given := strings.Cut(strings.ReplaceAll(weight, " ", ""), "=")
		value, err := strconv.ParseFloat(q, 64)
		return !given || err != nil || value > 0
	}
	return false
}
