package reads

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// FeedMixed is people at their feeds: they come by a skewed choice (Zipf), look five times in a minute,
// and leave; each tenth request tells what was seen. Who came in the half hour before has looked once
// already, so that it begins as it would go on. It finds how often the cache answers, what is kept of
// a person, and where the time of a page goes.
func FeedMixed() harness.Bench {
	return harness.Bench{
		Name: "feed-mixed",
		Says: "feeds and events of people who come and go: cache hits, memory a user, time by stage",
		Run: func(ctx context.Context, on *harness.Environment) error {
			program, err := on.Serve(ctx, "program", "api,events-consumer,jobs")
			if err != nil {
				return err
			}
			if err := on.Refilled(ctx, program); err != nil {
				return err
			}
			people, err := on.Viewers(harness.FeedPath, 0, on.World.Users)
			if err != nil {
				return err
			}
			visits := visits(on, people, 100_000, on.At(100))
			if err := on.Each(ctx, program.Addr, 4, earlier(on, people, on.At(100)/looks)); err != nil {
				return err
			}
			warmUp := 2 * time.Minute // after it, entries of those who are here are as old as they become
			if on.For > 0 && on.For < warmUp {
				warmUp = on.For
			}
			mixed, err := on.Load(ctx, harness.Load{
				Name: "mixed", At: program.Addr, Rate: on.At(100), WarmUp: warmUp, For: on.Lasting(3 * time.Minute),
				Request: harness.InTurn(visits), Label: harness.ServedFrom, Labelled: "feed",
			})
			if err != nil {
				return err
			}
			on.FigureAtLeast("cache hits (stale is none)", "%", 90, 95, 100*mixed.Share("cache"))
			for _, from := range []string{"stale", "clickhouse", "postgres", "trending"} {
				on.Note("served from "+from, "%", 100*mixed.Share(from))
			}
			on.Figure("P95 of a feed", "ms", 150, harness.None, mixed.Latency["feed"].P95)
			on.Figure("errors", "", 0, 0, float64(mixed.Failed()))
			for _, kept := range []string{"feed:v1:*", "seen:v1:*", "pages:v1:*"} {
				if err := keptOf(ctx, on, kept); err != nil {
					return err
				}
			}
			return stages(ctx, on, program)
		},
	}
}

// A person who is here looks every so often, so many times, and leaves; another one comes.
const (
	looksEvery = 10 * time.Second
	looks      = 5
)

// before is how long ago the world of the bench begins: less than an entry is used (feed.cache.ttl), by
// as much as the bench takes.
const before = 25 * time.Minute

// earlier are the first looks of those who came before it began, at so many people a second.
func earlier(on *harness.Environment, feeds []harness.Request, rate float64) []harness.Request {
	random := rand.New(rand.NewPCG(5, 6))
	who := rand.NewZipf(random, zipfSkew, zipfFlat, uint64(len(feeds)-1))
	came := map[uint64]bool{}
	var looked []harness.Request
	for range int(rate * before.Seconds()) {
		if n := who.Uint64(); !came[n] {
			came[n] = true
			looked = append(looked, feeds[n])
		}
	}
	on.Tell("%d people came in the %s before", len(looked), before)
	return looked
}

// The choice of people: a few come again and again, most of them seldom.
const (
	zipfSkew = 1.1
	zipfFlat = 20
)

// visits are n requests of people at a rate, in the order in which they come, the same at every run but
// for the ids of events.
func visits(on *harness.Environment, feeds []harness.Request, n int, rate float64) []harness.Request {
	random := rand.New(rand.NewPCG(3, 4))
	who := rand.NewZipf(random, zipfSkew, zipfFlat, uint64(len(feeds)-1))
	here, left := make([]harness.Request, int(rate*looksEvery.Seconds())), make([]int, int(rate*looksEvery.Seconds()))
	visits := make([]harness.Request, n)
	for i := range visits {
		place := i % len(here)
		if left[place] == 0 {
			here[place], left[place] = feeds[who.Uint64()], looks
			if i < len(here) { // of those who are here when it begins, some leave soon
				left[place] = 1 + random.IntN(looks)
			}
		}
		left[place]--
		visits[i] = here[place]
		visits[i].Kind = "feed"
		if (i+i/len(here))%10 == 9 {
			visits[i] = harness.Request{
				Kind: "events", Method: http.MethodPost, Path: "/api/v1/events",
				Token: here[place].Token, Body: on.Looked(random),
			}
		}
	}
	return visits
}

// keptOf states how long the values of some keys are.
func keptOf(ctx context.Context, on *harness.Environment, pattern string) error {
	conn, err := on.Redis.Conn()
	if err != nil {
		return err
	}
	var sizes []int64
	err = redis.Scan(ctx, conn, pattern, func(node rueidis.Client, keys []string) error {
		commands := make(rueidis.Commands, len(keys))
		for i, key := range keys {
			commands[i] = node.B().Strlen().Key(key).Build()
		}
		for _, result := range node.DoMulti(ctx, commands...) {
			if size, err := result.AsInt64(); err == nil {
				sizes = append(sizes, size)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(sizes)
	if len(sizes) > 0 {
		on.Note("keys "+pattern, "", float64(len(sizes)))
		on.Note(pattern+" P50", "bytes", float64(sizes[len(sizes)/2]))
		on.Note(pattern+" P95", "bytes", float64(sizes[len(sizes)*95/100]))
	}
	return nil
}

// stages states the P50 and P95 of each stage of a feed, from the program's histogram.
func stages(ctx context.Context, on *harness.Environment, p *harness.Program) error {
	m, err := p.Metrics(ctx)
	if err != nil {
		return err
	}
	type bucket struct{ le, n float64 }
	stages := map[string][]bucket{}
	for series, n := range m {
		labels, found := strings.CutPrefix(series, "feedrank_feed_stage_seconds_bucket{")
		if !found {
			continue
		}
		var stage, le string
		for _, label := range strings.Split(strings.TrimSuffix(labels, "}"), ",") {
			if v, ok := strings.CutPrefix(label, `stage="`); ok {
				stage = strings.Trim(v, `"`)
			} else if v, ok := strings.CutPrefix(label, `le="`); ok {
				le = strings.Trim(v, `"`)
			}
		}
		if upper, err := strconv.ParseFloat(le, 64); err == nil { // +Inf is a number, too
			stages[stage] = append(stages[stage], bucket{upper, n})
		}
	}
	for _, stage := range []string{"hydrate", "sources", "merge", "rank", "reserve", "page", "encode"} {
		buckets := stages[stage]
		sort.Slice(buckets, func(i, j int) bool { return buckets[i].le < buckets[j].le })
		for _, p := range []float64{50, 95} {
			least, below := 0.0, 0.0
			for _, b := range buckets {
				wanted := p / 100 * buckets[len(buckets)-1].n
				if b.n >= wanted && b.n > below {
					on.Note(fmt.Sprintf("stage %s P%.0f", stage, p), "ms",
						1000*(least+(b.le-least)*(wanted-below)/(b.n-below)))
					break
				}
				least, below = b.le, b.n
			}
		}
	}
	return nil
}
