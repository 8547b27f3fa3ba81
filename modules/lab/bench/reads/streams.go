package reads

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// streams are open connections on which a stream has begun. What comes meanwhile waits in the kernel.
type streams struct{ conns []net.Conn }

// portsOfAddress are the streams that one address opens: it has only so many ports.
const portsOfAddress = 20_000

// openStreams opens streams, those of the viewers in turn.
func openStreams(ctx context.Context, at string, viewers []harness.Request, n int) (*streams, error) {
	s := &streams{conns: make([]net.Conn, n)}
	var opening errgroup.Group
	opening.SetLimit(16)
	for i := range n {
		opening.Go(func() error {
			from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i/portsOfAddress))}
			dialer := net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}
			conn, err := dialer.DialContext(ctx, "tcp", at)
			if err != nil {
				return err
			}
			s.conns[i] = conn
			_, err = fmt.Fprintf(conn, "GET /api/v1/feed/updates HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", at,
				viewers[i%len(viewers)].Token)
			if err != nil {
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

// read reads until a text comes.
func (s *streams) read(i int, within time.Duration, want string) error {
	if err := s.conns[i].SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	b := make([]byte, 0, 4096)
	for !bytes.Contains(b, []byte(want)) {
		if len(b) == cap(b) { // heartbeats
			b = append(b[:0], b[len(b)/2:]...)
		}
		n, err := s.conns[i].Read(b[len(b):cap(b)])
		if err != nil {
			return fmt.Errorf("%w after %.200q", err, b)
		}
		b = b[:len(b)+n]
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
	for _, conn := range s.conns {
		if conn != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	return err
}
