package faults

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// overlapViewers are asked before and after ClickHouse is gone; of half of them nothing is cached then.
const overlapViewers = 60

// overlap measures how much of a ranked first page viewers still get with ClickHouse gone: those who
// have an entry in the cache, and those who have none.
func (d *drill) overlap(ctx context.Context) error {
	base, skip := d.balancer.first().URL(), d.World.Users-overlapViewers
	ids := d.ViewerIDs(skip, overlapViewers)
	requests, err := d.Viewers(harness.FeedPath, skip, overlapViewers)
	if err != nil {
		return err
	}
	page := func(i int) ([]core.ID, string, error) {
		status, body, err := harness.Fetch(ctx, base+requests[i].Path, requests[i].Token)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("feed of %d: status %d", ids[i], status)
		}
		var posts []core.ID
		for post := range itemsOf(body) {
			posts = append(posts, post)
		}
		return posts, harness.ServedFrom(body), err
	}
	ranked := make([][]core.ID, overlapViewers)
	for i := range ranked {
		if err := harness.Until(ctx, 50*time.Millisecond, "a ranked page", func() (bool, error) {
			var from string
			ranked[i], from, err = page(i)
			return from == "cache", err
		}); err != nil {
			return err
		}
		if i%2 == 1 {
			if err := drop(ctx, fmt.Sprintf("%s/admin/v1/cache/%d", d.balancer.first().AdminURL(), ids[i]),
				d.admin); err != nil {
				return err
			}
		}
	}
	clickhouse := d.Servers[slices.IndexFunc(d.Servers, func(s harness.Server) bool {
		return s.Name() == "clickhouse"
	})]
	if err := clickhouse.Kill(); err != nil {
		return err
	}
	var kept, of [2]int
	for i := range ranked {
		posts, _, err := page(i)
		if err != nil {
			return err
		}
		for _, post := range posts {
			if slices.Contains(ranked[i], post) {
				kept[i%2]++
			}
		}
		of[i%2] += len(ranked[i])
	}
	if err := clickhouse.Start(ctx); err != nil {
		return err
	}
	with, without := 100*float64(kept[0])/float64(max(1, of[0])), 100*float64(kept[1])/float64(max(1, of[1]))
	d.FigureAtLeast("first 20 with ClickHouse gone that the ranked page has, too", "%", harness.None, 80,
		with).Note = "viewers with an entry in the cache"
	d.Note("the same of viewers without an entry", "%", without)
	d.Say("overlap: first page with ClickHouse gone and ranked: with_entry=%.0f%% without_entry=%.0f%%", with, without)
	return d.well(ctx, "the overlap")
}

// drop takes a viewer's entry out of the cache.
func drop(ctx context.Context, url, token string) error {
	ctx, cancel := context.WithTimeout(ctx, harness.AskTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		err = fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	_ = response.Body.Close()
	return err
}
