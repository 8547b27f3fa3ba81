package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/trending"
	"github.com/feedrank/feedrank/test/stack"
)

// suggested is what a test reads of a list of suggested users.
type suggested struct {
	Items []struct {
		User   core.ID `json:"user"`
		Reason struct {
			Kind  string    `json:"kind"`
			Count int       `json:"count"`
			Users []core.ID `json:"users"`
		} `json:"reason"`
	} `json:"items"`
}

func (p *program) suggested(user core.ID) (now suggested) {
	p.t.Helper()
	status, body := p.call(http.MethodGet, "/api/v1/discover/suggested-users?limit=50", user, "")
	require.Equal(p.t, http.StatusOK, status, string(body))
	require.NoError(p.t, json.Unmarshal(body, &now))
	return now
}

func (s suggested) has(user core.ID) bool {
	for _, item := range s.Items {
		if item.User == user {
			return true
		}
	}
	return false
}

// jobsNow is how each job's last run ended.
func (p *program) jobsNow() map[string]string {
	var now struct {
		Jobs []struct {
			Name string `json:"name"`
			Runs []struct {
				Outcome string `json:"outcome"`
			} `json:"runs"`
		} `json:"items"`
	}
	require.NoError(p.t, json.Unmarshal(p.admin(http.MethodGet, "/admin/v1/jobs?runs=1", http.StatusOK), &now))
	outcomes := map[string]string{}
	for _, job := range now.Jobs {
		for _, run := range job.Runs {
			outcomes[job.Name] = run.Outcome
		}
	}
	return outcomes
}

// admin calls with the admin scope.
func (p *program) admin(method, path string, want int) []byte {
	p.t.Helper()
	token, err := auth.Sign(p.cfg.Auth, viewer, true, time.Hour, time.Now())
	require.NoError(p.t, err)
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, nil)
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	require.Equal(p.t, want, response.StatusCode, string(text))
	return text
}

func TestPeopleAndPostsAreDiscovered(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.Suggest.Fresh = time.Second
	p := start(t, cfg)
	world(t, s)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (2, 15), (3, 15), (3, 16), (2, 1)`)

	p.eventually("whom two followees follow is suggested first", func() bool {
		now := p.suggested(viewer)
		return len(now.Items) > 0 && now.Items[0].User == 15 && now.Items[0].Reason.Kind == "followed_by" &&
			now.Items[0].Reason.Count == 2 && !now.has(viewer)
	})
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (1, 15)`)
	p.eventually("who is followed now is suggested no more", func() bool { return !p.suggested(viewer).has(15) })
	status, body := p.call(http.MethodPost, "/api/v1/discover/suggested-users/16/dismiss", viewer, "")
	require.Equal(t, http.StatusNoContent, status, string(body))
	require.False(t, p.suggested(viewer).has(16), "who was dismissed")
	status, _ = p.call(http.MethodPost, "/admin/v1/jobs/trending/run", viewer, "")
	require.Equal(t, http.StatusForbidden, status, "without the admin scope")

	post := insertPost(t, s, 3)
	for _, user := range []core.ID{5, 6, 7} {
		p.act(user, "share", post, 3)
	}
	client := stack.Redis(t, s.RedisConfig)
	lists := trending.NewPublished(cfg.Trending, client)
	p.eventually("the job publishes what three people shared", func() bool {
		p.admin(http.MethodPost, "/admin/v1/jobs/trending/run", http.StatusAccepted)
		list, err := lists.Read(t.Context(), trending.Week)
		if err != nil || len(list.Posts) == 0 {
			list, err = lists.Read(t.Context(), trending.Hour)
		}
		return err == nil && len(list.Posts) == 1 && list.Posts[0].ID == post
	})
	p.eventually("every job has run", func() bool {
		now := p.jobsNow()
		return now["popular-users"] == "ok" && now["warm"] == "ok" && now["trending"] == "ok"
	})
}
