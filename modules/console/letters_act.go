package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
)

// letterOrder is the body of a replay and of a discard.
type letterOrder struct {
	Queue  string   `json:"queue"`
	IDs    []string `json:"ids,omitempty"`
	Reason string   `json:"reason,omitempty"`
	Topic  string   `json:"topic,omitempty"`
	Since  string   `json:"since,omitempty"`
	Until  string   `json:"until,omitempty"`
	DryRun bool     `json:"dry_run,omitempty"`
	Later  bool     `json:"background,omitempty"`
}

type letterOutcome struct {
	Matched int `json:"matched"`
	Done    int `json:"done"`
	Skipped int `json:"skipped"`
}

// actOnLetters replays or discards what was checked, or all that match. It is asked twice: first what it would do.
func (c *Console) actOnLetters(v *visit) error {
	back := inside(v.FormValue("back"))
	do, all := strings.CutSuffix(v.FormValue("do"), "-all")
	if do != "replay" && do != "discard" {
		return v.done(back, "Nothing was done: there is no such action.")
	}
	order := letterOrder{Queue: v.FormValue("queue")}
	if all {
		order.Reason, order.Topic = v.FormValue("reason"), v.FormValue("topic")
		order.Since, order.Until = v.FormValue("since"), v.FormValue("until")
		if order.Until == "" { // what comes in while this is read is not meant
			order.Until = v.console.clock.Now().UTC().Format(time.RFC3339Nano)
			v.Request().Form.Set("until", order.Until)
		}
	} else {
		order.IDs = v.Request().PostForm["id"]
		if len(order.IDs) == 0 {
			return v.done(back, "Nothing was done: check the letters first.")
		}
	}
	var outcome letterOutcome
	path := "/admin/v1/dead-letters/" + do
	if v.confirmed() && all {
		order.Later = true
		var begun letterTask
		if err := v.ask(http.MethodPost, path, nil, order, &begun); err != nil {
			return v.confirm("Dead letters", "letters", confirmation{
				Back: back, Problem: v.explain("It was not begun", err),
			})
		}
		return v.done(session.Path+"/dead-letters/order?id="+url.QueryEscape(begun.ID), "It has begun.")
	}
	if v.confirmed() {
		if err := v.ask(http.MethodPost, path, nil, order, &outcome); err != nil {
			return v.confirm("Dead letters", "letters", confirmation{
				Back: back, Problem: v.explain("It was not done, or not all of it", err),
			})
		}
		return v.done(back, "%s", said(do, outcome))
	}
	order.DryRun = true
	if err := v.ask(http.MethodPost, path, nil, order, &outcome); err != nil {
		return v.confirm("Dead letters", "letters", confirmation{
			Back: back, Problem: v.explain("This cannot be done", err),
		})
	}
	return v.confirm("Dead letters", "letters", askAboutLetters(do, back, outcome))
}

func said(do string, outcome letterOutcome) string {
	text := letters(outcome.Done) + " " + map[string]string{
		"replay": "replayed: the records are in their topic again.", "discard": "discarded.",
	}[do]
	if outcome.Skipped > 0 {
		text += fmt.Sprintf(" %d were cut when they were kept, and cannot be replayed from here.", outcome.Skipped)
	}
	return text
}

func letters(n int) string { return views.Plural(n, "letter", "letters") }

func askAboutLetters(do, back string, outcome letterOutcome) confirmation {
	n := outcome.Matched - outcome.Skipped
	ask := confirmation{Back: back, Danger: do == "discard"}
	if outcome.Skipped > 0 {
		ask.Means = append(ask.Means, fmt.Sprintf("%d more were cut when they were kept, and are left out.",
			outcome.Skipped))
	}
	switch {
	case n == 0:
		ask.Question = "No open letter matches: there is nothing to do."
	case do == "replay":
		ask.Question, ask.Yes = "Replay "+letters(n)+"?", "Replay "+letters(n)
		ask.Means = append(ask.Means, "Their records are written to their topic again, as they were. An event counts once, however often it is replayed.")
	default:
		ask.Question, ask.Yes = "Discard "+letters(n)+"?", "Discard "+letters(n)
		ask.Means = append(ask.Means, "They are marked as dealt with, and stay in the queue until its retention ends. They can be listed, and not be replayed any more.")
	}
	return ask
}

// letterTask is a replay or a discard of all that match, which the server carries out.
type letterTask struct {
	ID          string     `json:"id"`
	Queue       string     `json:"queue"`
	Action      string     `json:"action"` // replayed or discarded
	RequestedAt time.Time  `json:"requested_at"`
	StartedAt   *time.Time `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at"`
	letterOutcome
	Error string `json:"error"`
}

// Took is how long it took, or how long it has been under way.
func (t letterTask) Took(now time.Time) time.Duration {
	switch {
	case t.StartedAt == nil:
		return 0
	case t.FinishedAt != nil:
		now = *t.FinishedAt
	}
	return now.Sub(*t.StartedAt).Round(100 * time.Millisecond)
}

// State is where it is, in a word.
func (t letterTask) State() string {
	switch {
	case t.Error != "":
		return "ended early"
	case t.FinishedAt != nil:
		return "done"
	case t.StartedAt != nil:
		return "under way"
	}
	return "waiting"
}

// Class is the colour of its state.
func (t letterTask) Class() string {
	switch {
	case t.Error != "":
		return "failed"
	case t.FinishedAt != nil:
		return "well"
	}
	return "accent"
}

// letterTaskView is one of them, with its progress.
type letterTaskView struct {
	ID      string
	Task    *letterTask
	Took    string
	Problem *views.Problem
}

func (v *visit) letterTasks() ([]letterTask, error) {
	var answer struct {
		Items []letterTask `json:"items"`
	}
	err := v.get("/admin/v1/dead-letters/orders", nil, &answer)
	return answer.Items, err
}

func (c *Console) letterTask(v *visit) error {
	view := letterTaskView{ID: v.QueryParam("id")}
	tasks, err := v.letterTasks()
	at := slices.IndexFunc(tasks, func(t letterTask) bool { return t.ID == view.ID })
	switch {
	case err != nil:
		view.Problem = v.explain("How far it came is not known", err)
	case at < 0:
		view.Problem = &views.Problem{What: "There is no such order", Do: "The last 50 are kept; the audit list has all."}
	default:
		view.Task = &tasks[at]
		view.Took = view.Task.Took(c.clock.Now()).String()
	}
	return v.show("lettertask", "Dead letters", "letters", view)
}
