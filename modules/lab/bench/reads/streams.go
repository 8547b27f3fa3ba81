package reads

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// streams are open streams. What comes meanwhile waits in the kernel, or in the connection that they share.
type streams struct{ open []io.ReadCloser }

// opener opens the nth stream, of a viewer.
type opener func(ctx context.Context, n int, of harness.Request) (io.ReadCloser, error)

// openStreams opens n streams, those of the viewers in turn.
func openStreams(ctx context.Context, open opener, viewers []harness.Request, n int) (*streams, error) {
	s := &streams{open: make([]io.ReadCloser, n)}
	var opening errgroup.Group
	opening.SetLimit(16)
	for i := range n {
		opening.Go(func() (err error) {
			if s.open[i], err = open(ctx, i, viewers[i%len(viewers)]); err != nil {
				return err
			}
			return s.read(i, time.Minute, `"new_posts":0`)
		})
	}
	if err := opening.Wait(); err != nil {
		return nil, errors.Join(fmt.Errorf("open stream: %w", err), s.close())
	}
	return s, nil
}

const updatesPath = "/api/v1/feed/updates"

// portsOfAddress are the streams that one address opens: it has only so many ports.
const portsOfAddress = 20_000

// overHTTP1 opens a connection for each stream.
func overHTTP1(at string) opener {
	return func(ctx context.Context, n int, of harness.Request) (io.ReadCloser, error) {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+n/portsOfAddress))}
		dialer := net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}
		conn, err := dialer.DialContext(ctx, "tcp", at)
		if err != nil {
			return nil, err
		}
		_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", updatesPath, at,
			of.Token)
		return conn, err
	}
}

// ofConnection are the streams that one connection of HTTP/2 carries: as many as the program allows.
const ofConnection = 100

// overHTTP2 has streams share connections, with TLS.
func overHTTP2(url string, n int) opener {
	clients := make([]*http.Client, (n+ofConnection-1)/ofConnection)
	for i := range clients {
		clients[i] = &http.Client{Transport: &http.Transport{
			ForceAttemptHTTP2: true, MaxConnsPerHost: 1,
			TLSClientConfig: &tls.Config{
				InsecureSkipVerify: true, //nolint:gosec // a program of this run, with a certificate of its own
			},
		}}
	}
	return func(ctx context.Context, n int, of harness.Request) (io.ReadCloser, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+updatesPath, http.NoBody)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+of.Token)
		answer, err := clients[n%len(clients)].Do(request)
		switch {
		case err != nil:
			return nil, err
		case answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2:
			return nil, errors.Join(fmt.Errorf("%s %s", answer.Proto, answer.Status), answer.Body.Close())
		}
		return answer.Body, nil
	}
}

// read reads until a text comes. A stream on which it does not come in time is closed.
func (s *streams) read(i int, within time.Duration, want string) error {
	late := time.AfterFunc(within, func() { _ = s.open[i].Close() })
	defer late.Stop()
	b := make([]byte, 0, 4096)
	for !bytes.Contains(b, []byte(want)) {
		if len(b) == cap(b) { // heartbeats
			b = append(b[:0], b[len(b)/2:]...)
		}
		n, err := s.open[i].Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err != nil && !bytes.Contains(b, []byte(want)) {
			return fmt.Errorf("%w after %.200q", err, b)
		}
	}
	return nil
}

// await waits until all of some streams are told of a post.
func (s *streams) await(which []int, since time.Time) (*harness.Percentiles, error) {
	took := hdrhistogram.New(1, time.Minute.Microseconds(), 3)
	var mu sync.Mutex
	var waiting errgroup.Group
	for _, i := range which {
		waiting.Go(func() error {
			err := s.read(i, time.Minute, `"new_posts":1`)
			passed := time.Since(since)
			mu.Lock()
			defer mu.Unlock()
			return errors.Join(err, took.RecordValue(passed.Microseconds()))
		})
	}
	err := waiting.Wait()
	return harness.PercentilesOf(took), err
}

func (s *streams) close() (err error) {
	for _, one := range s.open {
		if one != nil {
			err = errors.Join(err, one.Close())
		}
	}
	s.open = nil
	return err
}
