package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// balancer sends requests to the replicas that say they are ready, in turn. It looks often and retries
// nothing.
type balancer struct {
	mu       sync.Mutex
	replicas []*app.Program
	turn     int
	ready    map[*app.Program]bool
	client   *http.Client
}

func (b *balancer) get(path, token string) (int, error) {
	request, err := http.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := b.client.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if closing := response.Body.Close(); err == nil {
		err = closing
	}
	return response.StatusCode, err
}

// look asks every replica whether it is ready.
func (b *balancer) look() {
	b.mu.Lock()
	replicas := b.replicas
	b.mu.Unlock()
	for _, r := range replicas {
		status, err := b.get("http://"+r.Addr()+"/readyz", "")
		b.mu.Lock()
		b.ready[r] = err == nil && status == http.StatusOK
		b.mu.Unlock()
	}
}

func (b *balancer) pick() *app.Program {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.replicas {
		b.turn++
		if r := b.replicas[b.turn%len(b.replicas)]; b.ready[r] {
			return r
		}
	}
	return nil
}

func (b *balancer) replace(old, by []*app.Program) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var kept []*app.Program
	for _, r := range b.replicas {
		if len(old) == 0 || r != old[0] {
			kept = append(kept, r)
		}
	}
	b.replicas = append(kept, by...)
}

func TestRollingRestartsLoseNoRequest(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	world(t, s)
	cfg.RateLimit.UserPerMinute, cfg.RateLimit.AddressPerMinute = 0, 0 // one viewer asks for all
	cfg.HTTP.DrainDelay = 300 * time.Millisecond                       // several looks of the balancer
	cfg.Feed.CursorSecrets = []string{"the replicas verify what others signed"}
	consumer := start(t, cfg)
	consumer.eventually("the seeded posts reach the feed", func() bool {
		_, now := consumer.feed(viewer, "limit=50")
		return len(now.Items) >= 30
	})

	b := &balancer{
		ready:  map[*app.Program]bool{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 10 * time.Second},
	}
	b.replace(nil, []*app.Program{replica(t, cfg), replica(t, cfg)})
	b.look()
	token, err := auth.Sign(cfg.Auth, viewer, false, time.Hour, time.Now())
	require.NoError(t, err)

	stop := make(chan struct{})
	var running sync.WaitGroup
	var answered atomic.Int64
	failures := make(chan error, 1024)
	running.Go(func() { // the balancer's eyes
		for ticks := time.Tick(20 * time.Millisecond); ; {
			select {
			case <-stop:
				return
			case <-ticks:
				b.look()
			}
		}
	})
	for range 8 {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r := b.pick()
				if r == nil {
					failures <- errors.New("no replica is ready")
					return
				}
				if status, err := b.get("http://"+r.Addr()+"/api/v1/feed", token); err != nil ||
					status != http.StatusOK {
					failures <- fmt.Errorf("status %d: %w", status, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	for range 4 { // each of the two twice
		old := b.replicas[0]
		fresh := replica(t, cfg)
		b.replace(nil, []*app.Program{fresh})
		wait.Until(t, func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.ready[fresh] })
		require.NoError(t, old.Stop())
		b.replace([]*app.Program{old}, nil)
	}
	close(stop)
	running.Wait()
	b.client.CloseIdleConnections()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	t.Logf("%d requests across 4 restarts", answered.Load())
	require.NotZero(t, answered.Load())
	for _, r := range b.replicas {
		require.NoError(t, r.Stop())
	}
}

// replica starts one more of the api role.
func replica(t *testing.T, cfg config.Config) *app.Program {
	t.Helper()
	cfg.Roles = []string{"api"}
	running, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	return running
}
