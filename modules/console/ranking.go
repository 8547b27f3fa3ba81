package console

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
)

// rankingAnswer is the ranking in force, and those before it, the latest first.
type rankingAnswer struct {
	Version uint64          `json:"version"`
	Ranking json.RawMessage `json:"ranking"`
	History []struct {
		Version   uint64          `json:"version"`
		Ranking   json.RawMessage `json:"ranking"`
		ChangedBy string          `json:"changed_by"`
		Note      string          `json:"note"`
		ChangedAt time.Time       `json:"changed_at"`
	} `json:"history"`
}

// rankingView is the form of every constant.
type rankingView struct {
	Known       bool
	Current     int
	Groups      []group
	Users, Note string
	Tried       *dryRun
	Moves       []move
	History     []pastRanking
	Sorted      sorting // of the history
	Problem     *views.Problem
}

type group struct {
	Name   string
	Fields []rankingField
}

type rankingField struct {
	Path, Name, Value, InForce, Range string
	Changed                           bool
}

type pastRanking struct {
	Version         int
	ChangedBy, Note string
	ChangedAt       time.Time
	Changes         []difference
}

type dryRun struct {
	Users []struct {
		User    string   `json:"user"`
		Before  []string `json:"before"`
		After   []string `json:"after"`
		Overlap float64  `json:"overlap"`
		Moved   float64  `json:"moved"`
		Hits    *hits    `json:"hits"`
	} `json:"users"`
	Overlap float64 `json:"overlap"`
	Moved   float64 `json:"moved"`
	Hits    *hits   `json:"hits"`
}

// hits are how many of the posts that people engaged with in the last day their first pages have.
type hits struct {
	Engaged int `json:"engaged"`
	Before  int `json:"before"`
	After   int `json:"after"`
}

// Share of what was engaged with.
func (h hits) Share(n int) float64 { return float64(n) / float64(max(1, h.Engaged)) }

// move is what changes for one user.
type move struct {
	User           string
	Overlap, Moved float64
	In, Out        []string
	Hits           *hits
}

func (c *Console) ranking(v *visit) error {
	view, err := v.rankingView()
	if err != nil {
		view.Problem = v.explain("The ranking cannot be shown", err)
	}
	return v.show("ranking", "Ranking", "ranking", view)
}

// rankingView is the form as it is in force.
func (v *visit) rankingView() (view rankingView, err error) {
	var answer rankingAnswer
	if err = v.get("/admin/v1/ranking", url.Values{"history": {"20"}}, &answer); err != nil {
		return view, err
	}
	inForce, err := constants(answer.Ranking)
	if err != nil {
		return view, err
	}
	var document struct {
		Components struct {
			Schemas struct {
				Constants schema `json:"RankingConstants"`
			} `json:"schemas"`
		} `json:"components"`
	}
	_ = v.get("/openapi.json", nil, &document) // without it, nothing is said of ranges
	view.Known, view.Current = true, int(answer.Version)
	for _, one := range inForce {
		within, name, grouped := strings.Cut(one.Path, ".")
		if !grouped {
			within, name = "decay", one.Path
		}
		at := slices.IndexFunc(view.Groups, func(g group) bool { return g.Name == within })
		if at < 0 {
			at, view.Groups = len(view.Groups), append(view.Groups, group{Name: within})
		}
		value := one.Value.String()
		view.Groups[at].Fields = append(view.Groups[at].Fields, rankingField{
			Path: one.Path, Name: name, Value: value, InForce: value,
			Range: document.Components.Schemas.Constants.rangeOf(one.Path),
		})
	}
	for i, past := range answer.History {
		row := pastRanking{
			Version: int(past.Version), ChangedBy: past.ChangedBy, Note: past.Note, ChangedAt: past.ChangedAt,
		}
		if i+1 < len(answer.History) {
			before, err1 := constants(answer.History[i+1].Ranking)
			after, err2 := constants(past.Ranking)
			if errors.Join(err1, err2) == nil {
				row.Changes = differences(before, after)
			}
		}
		view.History = append(view.History, row)
	}
	view.Sorted = sorted(v, "history", view.History, columns[pastRanking]{
		"version": func(a, b pastRanking) int { return cmp.Compare(a.Version, b.Version) },
		"who":     func(a, b pastRanking) int { return cmp.Compare(a.ChangedBy, b.ChangedBy) },
		"reason":  func(a, b pastRanking) int { return cmp.Compare(a.Note, b.Note) },
	})
	return view, nil
}

// changes are the constants of the form that differ from what is in force; the form keeps what was entered.
func (v *visit) changes(view *rankingView) (changed []constant, wrong string) {
	for g := range view.Groups {
		for f := range view.Groups[g].Fields {
			at := &view.Groups[g].Fields[f]
			given := strings.TrimSpace(v.FormValue(at.Path))
			if given == "" || given == at.InForce {
				continue
			}
			at.Value, at.Changed = given, true
			if _, err := strconv.ParseFloat(given, 64); err != nil || !json.Valid([]byte(given)) {
				wrong = at.Path
				continue
			}
			changed = append(changed, constant{at.Path, json.Number(given)})
		}
	}
	return changed, wrong
}

// changeRanking tries a ranking, saves it as the next version, or goes back to an earlier one.
func (c *Console) changeRanking(v *visit) error {
	if v.FormValue("do") == "rollback" {
		return c.rollBack(v)
	}
	view, err := v.rankingView()
	if err != nil {
		view.Problem = v.explain("The ranking cannot be changed", err)
		return v.show("ranking", "Ranking", "ranking", view)
	}
	view.Users, view.Note = v.FormValue("users"), strings.TrimSpace(v.FormValue("note"))
	changed, wrong := v.changes(&view)
	version, err := strconv.ParseUint(v.FormValue("version"), 10, 64)
	saving := v.FormValue("do") == "save"
	switch {
	case wrong != "":
		view.Problem = &views.Problem{What: "Not a number", Detail: wrong + ": want a number such as 0.3"}
	case err != nil || len(changed) == 0:
		view.Problem = &views.Problem{What: "Nothing is changed", Detail: "Every constant is as it is in force."}
	case saving && view.Note == "":
		view.Problem = &views.Problem{
			What: "A reason is missing", Detail: "Say in a few words why, for those who read the history.",
		}
	case saving:
		return c.saveRanking(v, view, version, changed)
	default:
		view.try(v, changed)
	}
	return v.show("ranking", "Ranking", "ranking", view)
}

// try shows what a ranking would change.
func (view *rankingView) try(v *visit, changed []constant) {
	body := map[string]any{"ranking": nested(changed)}
	if users := strings.FieldsFunc(view.Users, func(r rune) bool { return r == ' ' || r == ',' }); len(users) > 0 {
		body["users"] = users
	}
	tried := &dryRun{}
	if err := v.ask(http.MethodPost, "/admin/v1/ranking/dry-run", nil, body, tried); err != nil {
		view.Problem = v.explain("This ranking cannot be tried", err)
		return
	}
	view.Tried = tried
	for _, u := range tried.Users {
		view.Moves = append(view.Moves, move{
			User: u.User, Overlap: u.Overlap, Moved: u.Moved, Hits: u.Hits, In: without(u.After, u.Before),
			Out: without(u.Before, u.After),
		})
	}
}

// without are those of a that are not in b.
func without(a, b []string) (left []string) {
	for _, one := range a {
		if !slices.Contains(b, one) {
			left = append(left, one)
		}
	}
	return left
}

func (c *Console) saveRanking(v *visit, view rankingView, version uint64, changed []constant) error {
	const here = session.Path + "/ranking"
	ask := confirmation{
		Question: "Save as version " + strconv.Itoa(view.Current+1) + "?", Yes: "Save", Back: here,
		Means: []string{"Every replica follows within seconds; cached pages are scored with it at once."},
	}
	for _, g := range view.Groups {
		for _, f := range g.Fields {
			if f.Changed {
				ask.Means = append(ask.Means, f.Path+": "+f.InForce+" → "+f.Value)
			}
		}
	}
	ask.Means = append(ask.Means, "Reason: "+view.Note)
	if !v.confirmed() {
		return v.confirm("Ranking", "ranking", ask)
	}
	body := map[string]any{"version": version, "ranking": nested(changed), "note": view.Note}
	var answer rankingAnswer
	if err := v.ask(http.MethodPut, "/admin/v1/ranking", nil, body, &answer); err != nil {
		view.Problem = v.explain("The ranking was not saved", err)
		return v.show("ranking", "Ranking", "ranking", view)
	}
	return v.done(here, "Version %d is in force.", answer.Version)
}

func (c *Console) rollBack(v *visit) error {
	const here = session.Path + "/ranking"
	version, err1 := strconv.ParseUint(v.FormValue("version"), 10, 64)
	to, err2 := strconv.ParseUint(v.FormValue("to"), 10, 64)
	if errors.Join(err1, err2) != nil {
		return v.done(here, "Nothing was done: say which version.")
	}
	name := "version " + strconv.FormatUint(to, 10)
	if to == 0 {
		name = "the configuration file's ranking"
	}
	if !v.confirmed() {
		return v.confirm("Ranking", "ranking", confirmation{
			Question: "Go back to " + name + "?", Yes: "Roll back", Back: here,
			Means: []string{"It is put in force as the next version; the history keeps both."},
		})
	}
	var answer rankingAnswer
	body := map[string]any{"version": version, "rollback_to": to}
	if err := v.ask(http.MethodPost, "/admin/v1/ranking/rollback", nil, body, &answer); err != nil {
		return v.confirm("Ranking", "ranking", confirmation{
			Back: here, Problem: v.explain("The ranking was not rolled back", err),
		})
	}
	return v.done(here, "Version %d is in force: that of %s.", answer.Version, name)
}
