package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/platform/httpserver/textcheck"
)

// looked notes who looked at a record.
func (c *Console) looked(v *visit, letter *deadLetter) {
	c.log.Info("an operator looked at the record of a dead letter", zap.String("who", textcheck.AsText(v.who.Name)),
		zap.String("letter", letter.ID), zap.String("from", v.RealIP()))
}

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

func letters(n int) string {
	if n == 1 {
		return "1 letter"
	}
	return fmt.Sprintf("%d letters", n)
}

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
