package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

// watched is how many days, and people, there are figures of.
const watchedDays, watchedPeople = 6, 12

// watch has people look at their feeds, on several days, as apps tell it: so there are figures of how feeds did.
func (s *scene) watch(ctx context.Context) error {
	for person := 1; person <= watchedPeople; person++ {
		token, err := auth.Sign(s.dev.Config.Auth, core.ID(person), false, time.Hour, time.Now())
		if err != nil {
			return err
		}
		body, err := send(ctx, http.MethodGet, s.dev.URL()+"/api/v1/feed?limit=20", token, "")
		if err != nil {
			return err
		}
		var page struct {
			Items []struct {
				Post    string `json:"post"`
				Author  string `json:"author"`
				Session string `json:"feed_session"`
			} `json:"items"`
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			return err
		}
		var events []map[string]any
		for day := range watchedDays {
			for i, item := range page.Items {
				act := func(action string, dwell int) {
					event := map[string]any{
						"event_id": uuid.NewString(), "action": action, "post_id": item.Post, "author_id": item.Author,
						"feed_session": item.Session,
						"occurred_at":  time.Now().UTC().AddDate(0, 0, -day).Format(time.RFC3339Nano),
					}
					if dwell > 0 {
						event["dwell_ms"] = dwell
					}
					events = append(events, event)
				}
				act("impression", 0)
				act("dwell", 900+200*day+70*i)
				if (i+person+day)%(5+day) == 0 {
					act("click", 0)
				}
				if (i+person)%(60+9*day) == 0 {
					act("hide", 0)
				}
			}
		}
		if err := s.tell(ctx, token, events); err != nil {
			return err
		}
	}
	return s.counted(ctx)
}

// tell sends events in parts that the API takes.
func (s *scene) tell(ctx context.Context, token string, events []map[string]any) error {
	const most = 100
	for from := 0; from < len(events); from += most {
		body, err := json.Marshal(map[string]any{"events": events[from:min(from+most, len(events))]})
		if err != nil {
			return err
		}
		if _, err := send(ctx, http.MethodPost, s.dev.URL()+"/api/v1/events", token, string(body)); err != nil {
			return err
		}
	}
	return nil
}

// counted waits until the first of the days is.
func (s *scene) counted(ctx context.Context) error {
	day := time.Now().UTC().AddDate(0, 0, 1-watchedDays).Format(time.DateOnly)
	for ctx.Err() == nil {
		body, err := s.ask(ctx, http.MethodGet, fmt.Sprint("/api/v1/feed/metrics?date=", day), "")
		if err == nil && strings.Contains(body, `"dwell_p50_ms":`) && !strings.Contains(body, `"impressions":0`) {
			return nil
		}
		pause(ctx, time.Second)
	}
	return ctx.Err()
}
