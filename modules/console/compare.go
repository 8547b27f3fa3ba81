package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/feedrank/feedrank/modules/console/views"
)

// compareView is a user's first page as it is, beside that of other weights.
type compareView struct {
	User    string
	Weights []weight
	Changed bool
	Tried   bool
	Overlap float64
	Rows    []compareRow
	Problem *views.Problem
}

type weight struct{ Name, InForce, Wanted string }

// compareRow is a place of both pages.
type compareRow struct {
	Place         int
	Before, After comparedPost
}

type comparedPost struct {
	Post  string
	Moved int    // up, of the page under other weights
	Class string // how it differs from the other page
	Says  string
}

// weightNames are the parameters of the address, and of the ranking.
var weightNames = []string{"freshness", "engagement", "affinity"}

func (c *Console) compare(v *visit) error {
	view := compareView{User: v.QueryParam("user")}
	title := "Other weights"
	inForce, err := v.weights()
	if err != nil {
		view.Problem = v.explain("The ranking cannot be shown", err)
		return v.show("compare", title, "feed", view)
	}
	var changed []constant
	for _, name := range weightNames {
		w := weight{Name: name, InForce: inForce[name].String(), Wanted: strings.TrimSpace(v.QueryParam(name))}
		if w.Wanted == "" {
			w.Wanted = w.InForce
		}
		if json.Valid([]byte(w.Wanted)) && !equal(json.Number(w.Wanted), inForce[name]) {
			changed = append(changed, constant{"weights." + name, json.Number(w.Wanted)})
		}
		view.Weights = append(view.Weights, w)
	}
	view.Changed = len(changed) > 0
	if view.User == "" || !view.Changed {
		return v.show("compare", title, "feed", view)
	}
	tried := &dryRun{}
	body := map[string]any{"ranking": nested(changed), "users": []string{view.User}}
	err = v.ask(http.MethodPost, "/admin/v1/ranking/dry-run", nil, body, tried)
	switch {
	case err != nil:
		view.Problem = v.explain("These weights cannot be tried", err)
	case len(tried.Users) == 1:
		view.Tried, view.Overlap = true, tried.Users[0].Overlap
		view.Rows = besides(tried.Users[0].Before, tried.Users[0].After)
	}
	return v.show("compare", title+", for user "+view.User, "feed", view)
}

// weights are those in force.
func (v *visit) weights() (map[string]json.Number, error) {
	var answer rankingAnswer
	if err := v.get("/admin/v1/ranking", url.Values{"history": {"0"}}, &answer); err != nil {
		return nil, err
	}
	all, err := constants(answer.Ranking)
	found := map[string]json.Number{}
	for _, c := range all {
		if name, ok := strings.CutPrefix(c.Path, "weights."); ok {
			found[name] = c.Value
		}
	}
	return found, err
}

// besides puts two pages side by side.
func besides(before, after []string) []compareRow {
	rows := make([]compareRow, max(len(before), len(after)))
	for i := range rows {
		rows[i].Place = i + 1
		if i < len(before) {
			rows[i].Before = compared(before[i], i, after, "goes out")
		}
		if i < len(after) {
			rows[i].After = compared(after[i], i, before, "comes in")
			rows[i].After.Moved = -rows[i].After.Moved
		}
	}
	return rows
}

// compared is a post at a place, beside the other page: by how many places it stands lower there.
func compared(post string, place int, other []string, missing string) comparedPost {
	at := slices.Index(other, post)
	switch {
	case at < 0:
		return comparedPost{Post: post, Class: "late", Says: missing}
	case at == place:
		return comparedPost{Post: post}
	}
	return comparedPost{Post: post, Moved: place - at}
}
