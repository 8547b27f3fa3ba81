package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/core"
)

// page is a page of a feed, as the API gives it.
type page struct {
	Items          []item    `json:"items"`
	NextCursor     *string   `json:"next_cursor"`
	AsOf           time.Time `json:"as_of"`
	ServedFrom     string    `json:"served_from"`
	Degraded       bool      `json:"degraded"`
	RankingVersion uint64    `json:"ranking_version"`
	Sources        []struct {
		Name  string `json:"name"`
		Posts int    `json:"posts"`
		OK    bool   `json:"ok"`
	} `json:"sources"`
	Stages []struct {
		Name string  `json:"name"`
		MS   float64 `json:"ms"`
	} `json:"stages"`
}

type item struct {
	Post      string        `json:"post"`
	Author    string        `json:"author"`
	CreatedAt time.Time     `json:"created_at"`
	Score     float64       `json:"score"`
	Source    string        `json:"source"`
	Explain   *core.Explain `json:"explain"`
}

// card is a post as a page shows it.
type card struct {
	item
	Place       int
	Name        string // of the author, where it is known
	Terms       []term
	Adjustments []string
	Moved       string
}

// term is one part of a score, and of the bar that shows it.
type term struct {
	Name, Class, Formula, Why string
	Value                     float64
	X, Width                  string // of a hundred
}

// highest is what bars are drawn against.
func highest(items []item) float64 {
	most := 0.0
	for i := range items {
		most = max(most, items[i].Score)
	}
	return most
}

// cardOf is a post at a place; most is the score that fills a bar.
func cardOf(it item, place int, most float64) card {
	out := card{item: it, Place: place}
	e := it.Explain
	if e == nil {
		return out
	}
	out.Terms, out.Adjustments = terms(e, most), e.Adjustments
	if e.Position.After > 0 {
		out.Place = e.Position.After
	}
	if e.Position.Before > 0 && e.Position.Before != e.Position.After {
		out.Moved = fmt.Sprintf("by score alone at %d", e.Position.Before)
	}
	return out
}

// terms are the parts of a score.
func terms(e *core.Explain, most float64) []term {
	in := e.Inputs
	all := []term{
		{
			Name: "Freshness", Class: "fresh", Value: e.Weights.Freshness * e.Freshness,
			Formula: product(e.Weights.Freshness, e.Freshness), Why: age(in.AgeHours) + " old",
		},
		{
			Name: "Engagement", Class: "engaged", Value: e.Weights.Engagement * (e.Engagement + e.Disliked),
			Formula: product(e.Weights.Engagement, e.Engagement+e.Disliked),
			Why:     reactions(in.Likes, in.Comments, in.Shares, in.Exposures) + dislikes(in.Dislikes),
		},
		{
			Name: "Affinity", Class: "affine", Value: e.Weights.Affinity * e.Affinity,
			Formula: product(e.Weights.Affinity, e.Affinity), Why: interactions(in.Interactions),
		},
	}
	at := 0.0
	for i := range all {
		width := 0.0
		if most > 0 {
			width = min(100-at, max(0, 100*all[i].Value/most))
		}
		all[i].X, all[i].Width = fmt.Sprintf("%.1f", at), fmt.Sprintf("%.1f", width)
		at += width
	}
	return all
}

// reactions are what people did with a post.
func reactions(likes, comments, shares, exposures int64) string {
	if likes == 0 && comments == 0 && shares == 0 {
		return "no reactions, " + views.Plural(int(exposures), "exposure", "exposures")
	}
	return fmt.Sprintf("%s, %s, %s, %s", views.Plural(int(likes), "like", "likes"),
		views.Plural(int(comments), "comment", "comments"), views.Plural(int(shares), "share", "shares"),
		views.Plural(int(exposures), "exposure", "exposures"))
}

// dislikes are the votes against a post; most have none.
func dislikes(n int64) string {
	if n <= 0 {
		return ""
	}
	return ", " + views.Plural(int(n), "dislike", "dislikes")
}

func product(weight, value float64) string { return fmt.Sprintf("%.2f × %.3f", weight, value) }

func age(hours float64) string {
	switch {
	case hours < 1:
		return fmt.Sprintf("%.0f min", hours*60)
	case hours < 48:
		return fmt.Sprintf("%.1f h", hours)
	}
	return fmt.Sprintf("%.0f days", hours/24)
}

func interactions(n float64) string {
	switch {
	case n == 0:
		return "no interactions with the author"
	case n < 0:
		return fmt.Sprintf("%.1f: the user hides what the author posts", n)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") + " interactions with the author"
}
