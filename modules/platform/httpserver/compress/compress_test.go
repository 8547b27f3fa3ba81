package compress_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/platform/httpserver/compress"
)

// aPage is as large and as varied as a page of 20 posts: most of it are signatures.
func aPage() []byte {
	b := []byte(`{"items":[`)
	for i := range 20 {
		sum := sha256.Sum256([]byte(fmt.Sprint(i)))
		b = fmt.Appendf(b, `{"post":"%d","author":"%d","created_at":"2026-05-01T12:%02d:00.000Z","score":0.%d,"source":"followee","feed_session":"%s"},`,
			400000+i*7919, 24000-i*31, i, 59381745-i*99991, base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	return append(b, `],"next_cursor":null}`...)
}

// BenchmarkCompress is what gzip costs an answer of a feed's size.
func BenchmarkCompress(b *testing.B) {
	page := aPage()
	for _, accept := range []string{"identity", "gzip"} {
		b.Run(accept, func(b *testing.B) {
			e := echo.New()
			e.GET("/", func(c echo.Context) error { return c.JSONBlob(http.StatusOK, page) },
				compress.Answers(1024))
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.Header.Set("Accept-Encoding", accept)
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				e.ServeHTTP(w, request)
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/answer")
		})
	}
}
