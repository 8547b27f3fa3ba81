package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// explanation is what the admin API says of a post in a user's feed.
type explanation struct {
	Verdict string        `json:"verdict"`
	Stage   string        `json:"stage"`
	Rule    string        `json:"rule"`
	Detail  string        `json:"detail"`
	Place   int           `json:"place"`
	Score   float64       `json:"score"`
	Lacks   float64       `json:"lacks"`
	Source  string        `json:"source"`
	Ranking uint64        `json:"ranking_version"`
	Explain *core.Explain `json:"explain"`

	ServedFrom string    `json:"served_from"`
	ComputedAt time.Time `json:"computed_at"`
	Fresh      *struct {
		Verdict string `json:"verdict"`
		Detail  string `json:"detail"`
	} `json:"fresh"`
	Sessions []struct {
		Place int `json:"place"`
		Of    int `json:"of"`
	} `json:"sessions"`
}

// explainTimeout bounds one question to the admin API.
const explainTimeout = 15 * time.Second

// explain asks a running feedrank why a post is where it is in a user's feed, or why it is not in it,
// and prints the answer.
func explain(ctx context.Context, base, token string, user, post core.Key, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	query := url.Values{"user": {user.String()}, "post": {post.String()}}
	at := strings.TrimSuffix(base, "/") + "/admin/v1/why-not?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	const enough = 1 << 20
	body, err := io.ReadAll(io.LimitReader(response.Body, enough))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("read the answer of %s: %w", base, err)
	}
	if response.StatusCode != http.StatusOK {
		return refusal(base, response.Status, body)
	}
	var e explanation
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("the answer of %s: %w", base, err)
	}
	return e.print(user, post, out)
}

func refusal(base, status string, body []byte) error {
	var problem struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &problem) == nil && problem.Code != "" {
		return fmt.Errorf("%s: %s: %s (%s)", base, status, problem.Detail, problem.Code)
	}
	return fmt.Errorf("%s: %s", base, status)
}

func (e *explanation) print(user, post core.Key, out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }
	line("post %s in the feed of user %s: %s", post, user, strings.ToUpper(e.Verdict))
	line("%s", e.Detail)
	line("")
	line("stage\t%s", e.Stage)
	line("rule\t%s", e.Rule)
	line("ranking version\t%d", e.Ranking)
	line("served from\t%s, computed at %s", e.ServedFrom, e.ComputedAt.Format(time.RFC3339))
	if e.Fresh != nil {
		line("computed now\t%s: %s", strings.ToUpper(e.Fresh.Verdict), e.Fresh.Detail)
	}
	for _, s := range e.Sessions {
		line("in a session\tplace %d of %d", s.Place, s.Of)
	}
	if e.Place > 0 {
		line("place\t%d", e.Place)
	}
	if x := e.Explain; x != nil {
		line("source\t%s", e.Source)
		line("by score alone\t%d", x.Position.Before)
		if len(x.Adjustments) > 0 {
			line("adjustments\t%s", strings.Join(x.Adjustments, "; "))
		}
		line("")
		line("TERM\tVALUE\tWEIGHT\tADDS\tFROM")
		term := func(name string, value, weight float64, from string) {
			line("%s\t%.4f\t%.2f\t%.4f\t%s", name, value, weight, value*weight, from)
		}
		in := x.Inputs
		term("freshness", x.Freshness, x.Weights.Freshness, fmt.Sprintf("%.1f h old", in.AgeHours))
		term("engagement", x.Engagement, x.Weights.Engagement,
			fmt.Sprintf("%d likes, %d comments, %d shares on %d exposures in 24 h", in.Likes, in.Comments, in.Shares,
				in.Exposures))
		if in.Dislikes > 0 {
			term("disliked", x.Disliked, x.Weights.Engagement, fmt.Sprintf("%d dislikes in 24 h", in.Dislikes))
		}
		term("affinity", x.Affinity, x.Weights.Affinity,
			fmt.Sprintf("%.1f weighted interactions with the author in 90 days", in.Interactions))
		line("score\t\t\t%.4f", e.Score)
	}
	if e.Lacks > 0 {
		line("lacks\t\t\t%.4f\tto the last post of the page", e.Lacks)
	}
	return t.Flush()
}
