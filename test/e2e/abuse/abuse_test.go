package abuse

import (
	"context"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/lab/bench/attack"
	"github.com/feedrank/feedrank/test/wait"
)

// lasting is how long an attack goes on; each would hold what it takes for some ten seconds.
const lasting = 4 * time.Second

// allowed is the memory that an attack may cost, beyond what was there, while others are answered.
const allowed = 400 << 20

func TestWhateverStrangersHoldOthersAreAnswered(t *testing.T) {
	p := start(t, nil)
	ours := p.token(666) // an account is easily had
	for name, attack := range map[string]func(context.Context){
		// 4,400 requests that announce more than is taken, and send none of it.
		"bodies too long, HTTP/2": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 44, 100, true, false, "POST", "/nothing", "content-length", "2000000")
		},
		"bodies too long, HTTP/1": func(ctx context.Context) {
			p.attacker(66).Hold(ctx, 600,
				attack.TooLong("/nothing"))
		},
		// Bodies that do not come: of strangers, and of somebody with a token.
		"bodies without a token": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 44, 100, true, false, "POST", "/api/v1/events", "content-length", "100")
		},
		"bodies that trickle, HTTP/2": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 12, 100, true, false, "POST", "/api/v1/events", "content-length", "100",
				"authorization", ours)
		},
		"bodies that trickle, HTTP/1": func(ctx context.Context) {
			p.attacker(66).Hold(ctx, 600, attack.Trickled("/api/v1/events", ours))
		},
		"bodies of a call that has none": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 3, 100, true, false, "GET", "/api/v1/feed/trending", "content-length", "100",
				"authorization", ours)
		},
		// Answers that nobody reads: large ones and small ones, with a token and without.
		"answers that are not read": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 44, 100, false, true, "GET", "/openapi.json")
		},
		"probes that are not read": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 44, 100, false, true, "GET", "/readyz")
		},
		"refusals that are not read": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 44, 100, false, true, "GET", "/nothing")
		},
		"feeds that are not read": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 3, 100, false, true, "GET", "/api/v1/feed/trending", "authorization", ours)
		},
		"tokens with keys that nobody knows": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 12, 100, true, true, "GET", "/api/v1/feed",
				"authorization", "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiIxIn0.c2ln")
		},
		"streams taken back at once": func(ctx context.Context) {
			again(ctx, p.attacker(66), 4, func(c *attack.Conn) {
				for range 1000 {
					c.Reset(c.Request(true, "GET", "/openapi.json"))
				}
			})
		},
		"headers without an end": func(ctx context.Context) {
			again(ctx, p.attacker(66), 4, func(c *attack.Conn) { c.Endless(20) })
		},
		"frames that want an answer": func(ctx context.Context) {
			again(ctx, p.attacker(66), 4, func(c *attack.Conn) {
				for range 20_000 {
					c.Ping()
					c.Settings()
				}
			})
		},
		"headers for the tables": func(ctx context.Context) {
			p.attacker(66).Streams(ctx, 44, 100, true, true, "GET", "/nothing", "x", strings.Repeat("y", 2000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			before := memory()
			p.during(lasting, func(ctx context.Context) {
				attack(ctx)
				<-ctx.Done()
			})
			require.Less(t, memory()-before, int64(allowed))
		})
	}
}

// memory is what is held: garbage is bounded by the collector.
func memory() int64 {
	runtime.GC()
	runtime.GC() // what the first one freed of pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse) // small
}

// again does the same on connection after connection.
func again(ctx context.Context, from attack.Target, atOnce int, what func(*attack.Conn)) {
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for ctx.Err() == nil {
				c, err := from.HTTP2(ctx, true)
				if err != nil {
					continue
				}
				what(c)
				_ = c.Flush()
				_ = c.Close()
			}
		})
	}
	all.Wait()
}

func TestSilentConnectionsCutNobodyOff(t *testing.T) {
	p := start(t, func(cfg *config.Config) { cfg.HTTP.MaxConnections = 60 })
	p.during(lasting, func(ctx context.Context) {
		p.attacker(66).Hold(ctx, 600, attack.Silent)
		<-ctx.Done()
	})
}

func TestSilentConnectionsOfOneAddressAreBoundedAndStrangersElsewhereAreServed(t *testing.T) {
	p := start(t, func(cfg *config.Config) { cfg.HTTP.Unlimited, cfg.HTTP.MaxPerAddress = nil, 50 })
	p.during(lasting, func(ctx context.Context) {
		p.attacker(66).Hold(ctx, 600, attack.Silent)
		<-ctx.Done()
	})
}

func TestAStrangerIsHeldToTheRateOfAnAddressOnEveryPath(t *testing.T) {
	p := start(t, func(cfg *config.Config) { cfg.RateLimit.AddressPerMinute = 200 })
	for _, path := range []string{"/nothing", "/openapi.json", "/api/v1/feed"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		began := time.Now()
		held := p.attacker(77).Hold(ctx, 300, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		cancel()
		came := 1 + int(200*time.Since(began).Minutes()) // places that time has given back meanwhile
		require.GreaterOrEqual(t, held.Statuses[429], 100-came, "%s: %v", path, held.Statuses)
	}
	p.during(time.Second, func(context.Context) {})
}

func TestASlowBodyIsToldSo(t *testing.T) {
	p := start(t, func(cfg *config.Config) { cfg.HTTP.ReadTimeout = time.Second })
	held := p.attacker(66).Hold(t.Context(), 50, attack.Trickled("/api/v1/events", p.token(666)))
	require.Equal(t, map[int]int{408: 50}, held.Statuses)
	held = p.attacker(66).Hold(t.Context(), 50, attack.TooLong("/api/v1/events"))
	require.Equal(t, map[int]int{413: 50}, held.Statuses)
	wait.Until(t, func() bool { return ask(client(t), "GET", "https://"+p.users+"/healthz", "", "") == "200" })
}

func TestAnswersThatNobodyReadsAreBounded(t *testing.T) {
	p := start(t, func(cfg *config.Config) { cfg.HTTP.MaxConcurrent = 20 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var attacking sync.WaitGroup
	attacking.Go(func() { p.attacker(66).Streams(ctx, 1, 100, false, true, "GET", "/openapi.json") })
	wait.Until(t, func() bool { return p.metric("feedrank_http_unread_answers_total") >= 80 }, "the longest give way")
	require.Equal(t, "200", ask(client(t), "GET", "https://"+p.users+"/api/v1/feed/trending", p.token(7), ""),
		"and no place is held")
	cancel()
	attacking.Wait()
}

// metric is a counter without labels, as operators read it.
func (p *program) metric(name string) float64 {
	p.t.Helper()
	response, err := client(p.t).Get("https://" + p.admin + "/metrics")
	require.NoError(p.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	for _, line := range strings.Split(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			require.NoError(p.t, err)
			return n
		}
	}
	p.t.Fatalf("no metric %s", name)
	return 0
}
