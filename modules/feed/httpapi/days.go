package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/daily"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Attribution tells what people did with the posts that feeds showed them on a day.
type Attribution interface {
	Day(ctx context.Context, day time.Time) ([]daily.Row, error)
}

// Days answers how feeds did on a day. It looks at one day at a time, and remembers answers for a
// while: each reads all events of a day.
type Days struct {
	attribution Attribution
	feed        *feed.Feed
	clock       core.Clock
	mu          sync.Mutex
	answers     map[time.Time]dayAnswer
}

const (
	rememberToday = 10 * time.Second
	rememberPast  = 5 * time.Minute // late events may still come
	retention     = 30              // days that the raw events are kept
)

// NewDays makes the call.
func NewDays(attribution Attribution, f *feed.Feed, clock core.Clock) *Days {
	return &Days{attribution: attribution, feed: f, clock: clock, answers: map[time.Time]dayAnswer{}}
}

// Routes are the calls of product people.
func (d *Days) Routes() []httpserver.Route {
	return []httpserver.Route{{
		Method: http.MethodGet, Path: "/api/v1/feed/metrics", Access: httpserver.Admin,
		Handler: d.metrics,
	}}
}

// dayAnswer is how feeds did on a day (UTC).
type dayAnswer struct {
	Date          string           `json:"date"`
	Complete      bool             `json:"complete"` // the day is over
	ComputedAt    time.Time        `json:"computed_at"`
	CacheHitRatio *float64         `json:"cache_hit_ratio"` // pages served from a fresh entry, of all ranked pages; null where none is known
	ServedFrom    map[string]int64 `json:"served_from"`     // ranked pages, by where they came from
	Total         dayRow           `json:"total"`
	Rows          []dayRow         `json:"rows"` // by source and version of the ranking
}

type dayRow struct {
	Source         string   `json:"source,omitempty"`
	RankingVersion *uint64  `json:"ranking_version,omitempty"`
	Impressions    uint64   `json:"impressions"`
	Clicks         uint64   `json:"clicks"`
	Likes          uint64   `json:"likes"`
	Comments       uint64   `json:"comments"`
	Shares         uint64   `json:"shares"`
	Hides          uint64   `json:"hides"`
	CTR            *float64 `json:"ctr"`        // clicks / impressions
	Conversion     *float64 `json:"conversion"` // of pairs of user and post that were shown, those that were liked, commented or shared
	DwellP50       *float64 `json:"dwell_p50_ms"`
	DwellP95       *float64 `json:"dwell_p95_ms"`
}

func (d *Days) metrics(c echo.Context) error {
	params := httpserver.NewQuery(c, "date")
	text := params.String("date", 10)
	if err := params.Err(); err != nil {
		return err
	}
	now := d.clock.Now().UTC()
	today := now.Truncate(24 * time.Hour)
	day := today
	if text != "" {
		var err error
		if day, err = time.Parse(time.DateOnly, text); err != nil {
			return core.InvalidField("date", "want YYYY-MM-DD")
		}
	}
	if oldest := today.AddDate(0, 0, -retention); day.After(today) || day.Before(oldest) {
		return core.InvalidField("date", "want a day from %s to %s", oldest.Format(time.DateOnly),
			today.Format(time.DateOnly))
	}
	answer, err := d.answer(c.Request().Context(), day, now)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, answer)
}

func (d *Days) answer(ctx context.Context, day, now time.Time) (dayAnswer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	complete := !now.Before(day.AddDate(0, 0, 1))
	remember := rememberPast
	if !complete {
		remember = rememberToday
	}
	if known, ok := d.answers[day]; ok && known.Complete == complete && now.Sub(known.ComputedAt) < remember {
		return known, nil
	}
	rows, err := d.attribution.Day(ctx, day)
	if err != nil {
		return dayAnswer{}, core.Unavailable("ClickHouse", time.Second, err)
	}
	answer := dayAnswer{Date: day.Format(time.DateOnly), Complete: complete, ComputedAt: now, Rows: []dayRow{}}
	counts, err := d.feed.ServedOn(ctx, day, !complete) // without it the rest of the answer holds
	answer.ServedFrom, answer.CacheHitRatio = counts, hitRatio(counts)
	for _, row := range rows {
		if row.Source == "" {
			answer.Total = dayRowOf(row)
			continue
		}
		out := dayRowOf(row)
		out.Source, out.RankingVersion = row.Source, &row.Ranking
		answer.Rows = append(answer.Rows, out)
	}
	for old := range d.answers {
		if day.Sub(old).Abs() > retention*24*time.Hour {
			delete(d.answers, old)
		}
	}
	if err == nil {
		d.answers[day] = answer
	}
	return answer, nil
}

func hitRatio(counts map[string]int64) *float64 {
	var all int64
	for _, n := range counts {
		all += n
	}
	return share(uint64(max(0, counts[string(page.FromCache)])), uint64(max(0, all)))
}

func dayRowOf(r daily.Row) dayRow {
	out := dayRow{
		Impressions: r.Impressions, Clicks: r.Clicks, Likes: r.Likes, Comments: r.Comments, Shares: r.Shares,
		Hides: r.Hides,
		CTR:   share(r.Clicks, r.Impressions), Conversion: share(r.Converted, r.Shown),
	}
	if r.Dwells > 0 {
		out.DwellP50, out.DwellP95 = &r.DwellP50, &r.DwellP95
	}
	return out
}

// share is a part of a whole, unknown where there is none.
func share(part, whole uint64) *float64 {
	if whole == 0 {
		return nil
	}
	x := float64(part) / float64(whole)
	return &x
}
