package reads

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Question is asked of a view, and of the raw events.
type Question struct {
	Name      string
	View, Raw string
	Params    func(n int) map[string]any
	Bounded   bool // it is one of those that have a bound
}

// Views asks what the program asks of the two views, and the same of the raw events.
func Views() harness.Bench {
	return harness.Bench{
		Name: "views",
		Says: "questions to post_metrics_1h and user_author_90d, against the same over raw events",
		Run: func(ctx context.Context, on *harness.Environment) error {
			for _, q := range Questions(on) {
				view, rows, err := Ask(ctx, on, q.Name, q.View, q.Params, 100, 10*time.Second)
				if err != nil {
					return err
				}
				raw, rawRows, err := Ask(ctx, on, q.Name+", raw events", q.Raw, q.Params, 20, 20*time.Second)
				if err != nil {
					return err
				}
				required, aim := 200.0, 50.0
				if !q.Bounded {
					required, aim = harness.None, harness.None
				}
				f := on.Figure(q.Name+": P95", "ms", required, aim, view.P95)
				f.Note = fmt.Sprintf("raw events %s ms, %s× as long; rows read %d and %d", harness.Short(raw.P95),
					harness.Short(raw.P50/max(view.P50, 0.001)), rows, rawRows)
			}
			return nil
		},
	}
}

// Questions are those of the program, with the bounds that they are held to.
func Questions(on *harness.Environment) []Question {
	now := on.World.Now
	since := func(ago time.Duration) func(int) map[string]any {
		return func(int) map[string]any {
			return map[string]any{
				"since": now.Add(-ago).Truncate(time.Hour).Unix(),
				"hour":  now.Truncate(time.Hour).Unix(),
			}
		}
	}
	const counts = `sumIf(toInt64(effect), action = 'impression') AS exposures, sumIf(toInt64(effect), action IN ('like', 'unlike')) AS likes,
		sumIf(toInt64(effect), action = 'comment') AS comments, sumIf(toInt64(effect), action = 'share') AS shares`
	return []Question{
		{
			Name: "post_metrics_1h: 150 posts in 24 h", Bounded: true,
			View: `SELECT post_id, sum(exposures) AS exposures, sum(likes) AS likes, sum(comments) AS comments, sum(shares) AS shares FROM post_metrics_1h
				WHERE hour >= toDateTime({since:Int64}, 'UTC') AND post_id IN {posts:Array(Int64)} GROUP BY post_id`,
			Raw: `SELECT post_id, ` + counts +
				` FROM events WHERE occurred_at >= toDateTime({since:Int64}, 'UTC') AND post_id IN {posts:Array(Int64)} GROUP BY post_id`,
			Params: func(n int) map[string]any {
				posts := make([]string, 150)
				for i := range posts {
					posts[i] = strconv.Itoa(max(1, on.World.Posts-(i*97+n*31)%max(1, on.World.Posts)))
				}
				return map[string]any{
					"since": now.Add(-24 * time.Hour).Truncate(time.Hour).Unix(),
					"posts": "[" + strings.Join(posts, ",") + "]",
				}
			},
		},
		{
			Name: "post_metrics_1h: every post in this hour", Bounded: true, Params: since(0),
			View: sql.ClickHouse("feed_hot_engagement"),
			Raw: `SELECT post_id, ` + counts +
				` FROM events WHERE occurred_at >= toDateTime({since:Int64}, 'UTC') GROUP BY post_id`,
		},
		{
			Name: "post_metrics_1h: every post in 24 h (all of the view)", Params: since(24 * time.Hour),
			View: sql.ClickHouse("feed_hot_engagement"),
			Raw: `SELECT post_id, ` + counts +
				` FROM events WHERE occurred_at >= toDateTime({since:Int64}, 'UTC') GROUP BY post_id`,
		},
		{
			Name: "user_author_90d: a user's authors", Bounded: true,
			View: sql.ClickHouse("feed_viewer_affinity"),
			Raw: `SELECT author_id, countIf(action = 'view') AS views, countIf(action = 'click') AS clicks,
				sumIf(toInt64(effect), action IN ('like', 'unlike')) AS likes,
				sumIf(toInt64(effect), action = 'comment') AS comments,
				sumIf(toInt64(effect), action = 'share') AS shares,
				countIf(action IN ('hide', 'not_interested')) AS hides
				FROM events
				WHERE user_id = {viewer:Int64} AND user_id != author_id AND occurred_at >= now() - INTERVAL 90 DAY
				GROUP BY author_id
				ORDER BY hides > 0 DESC, likes + comments + shares DESC, views DESC, author_id LIMIT {limit:UInt64}`,
			Params: func(n int) map[string]any {
				return map[string]any{"viewer": 1 + n*37%on.World.Users, "limit": 500, "days": 90}
			},
		},
	}
}

// Ask puts a question up to n times, one after the other, and tells how many rows one answer read.
func Ask(ctx context.Context, on *harness.Environment, name, query string, params func(int) map[string]any, n int,
	most time.Duration,
) (*harness.Percentiles, uint64, error) {
	watch := on.Watch(nil)
	times, rows, began := harness.NewHistogram(), uint64(0), time.Now()
	for i := range n {
		if time.Since(began) > most && i > 2 {
			break
		}
		rows = 0
		var results proto.Results
		started := time.Now()
		err := on.ClickHouse.Read(ctx, clickhouse.Query{Name: "bench", Query: ch.Query{
			Body: query, Parameters: clickhouse.Params(params(i)), Result: results.Auto(),
			Settings:   []ch.Setting{{Key: "max_threads", Value: "1"}},
			OnResult:   func(context.Context, proto.Block) error { return nil },
			OnProgress: func(_ context.Context, p proto.Progress) error { rows += p.Rows; return nil },
		}})
		if err != nil {
			watch.End()
			return nil, 0, fmt.Errorf("%s: %w", name, err)
		}
		if i > 0 { // the first one reads the disk
			harness.Record(times, time.Since(started))
		}
	}
	p := &harness.Phase{
		Name: name, Seconds: time.Since(began).Seconds(),
		Latency: map[string]*harness.Percentiles{harness.All: harness.PercentilesOf(times)}, Usage: watch.End(),
	}
	p.Requests = p.Latency[harness.All].Count
	on.Add(p)
	return p.Latency[harness.All], rows, nil
}
