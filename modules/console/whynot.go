package console

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/core"
)

// outcome is what became of a post.
type outcome struct {
	Verdict string     `json:"verdict"`
	Stage   string     `json:"stage"`
	Rule    string     `json:"rule"`
	Detail  string     `json:"detail"`
	Place   int        `json:"place"`
	Score   float64    `json:"score"`
	Lacks   float64    `json:"lacks"`
	Source  string     `json:"source"`
	Since   *time.Time `json:"since"`
}

// verdict is what the API says of a post and a user.
type verdict struct {
	outcome
	Labels         []string  `json:"labels"`
	RankingVersion uint64    `json:"ranking_version"`
	ServedFrom     string    `json:"served_from"`
	ComputedAt     time.Time `json:"computed_at"`
	Fresh          *outcome  `json:"fresh"`
	Sessions       []struct {
		Place int `json:"place"`
		Of    int `json:"of"`
	} `json:"sessions"`
	Explain *core.Explain `json:"explain"`
}

// whyNotView is why a user sees a post where they do, or does not.
type whyNotView struct {
	User, Post string
	Answer     *verdict
	Verdict    string
	Sentence   string
	Sessions   []inSessions
	Card       *card
	Problem    *views.Problem
}

func (c *Console) whyNot(v *visit) error {
	view := whyNotView{User: v.QueryParam("user"), Post: v.QueryParam("post")}
	if view.User == "" || view.Post == "" {
		return v.show("whynot", "Why not", "whynot", view)
	}
	answer := &verdict{}
	err := v.get("/admin/v1/why-not", url.Values{"user": {view.User}, "post": {view.Post}}, answer)
	if err != nil {
		view.Problem = v.explain("This cannot be answered", err)
		return v.show("whynot", "Why not", "whynot", view)
	}
	view.Answer = answer
	view.Sessions = answer.sessions()
	view.Verdict, view.Sentence = answer.said(view.User, view.Post)
	if answer.Explain != nil {
		shown := cardOf(item{Score: answer.Score, Explain: answer.Explain}, answer.Place, answer.Score)
		view.Card = &shown
	}
	return v.show("whynot", "Why post "+view.Post+", for user "+view.User, "whynot", view)
}

// inSessions are sessions in which a post stands at the same place.
type inSessions struct{ Place, Of, Times int }

// sessions are those that the user is in the middle of, without saying the same again.
func (a *verdict) sessions() (all []inSessions) {
	for _, one := range a.Sessions {
		at := slices.IndexFunc(all, func(s inSessions) bool { return s.Place == one.Place && s.Of == one.Of })
		if at < 0 {
			at, all = len(all), append(all, inSessions{Place: one.Place, Of: one.Of})
		}
		all[at].Times++
	}
	return all
}

// reasons are the rules in a sentence about a user and a post.
var reasons = map[string]string{
	"own":           "it is their own post",
	"blocked":       "they block its author",
	"blocked_by":    "its author blocks them",
	"muted":         "they mute its author",
	"author_hidden": "its author is suspended, banned or gone",
	"not_visible":   "it was deleted or hidden, or never was",
	"dated_ahead":   "it is dated ahead, and held back until its time",
	"hidden":        "they hid it",
	"seen":          "they saw it in the last day",
	"too_old":       "it is too old for a ranked feed",
	"not_arrived":   "it has not reached the ranking yet: look at the pipeline",
	"reserve_full":  "others score higher, and only the best are kept for them",
	"source_full":   "there are newer posts of the same people than are considered",
	"no_source":     "they neither follow nor care for its author, and it does not trend",
	"not_in_entry":  "the page that they are served was computed without it",
	"changed":       "it was just dropped: ask again",
}

// said is the verdict in a word and in a sentence.
func (a *verdict) said(user, post string) (word, sentence string) {
	switch a.Verdict {
	case "shown":
		return "shown", fmt.Sprintf("User %s sees post %s at place %d of the first page.", user, post, a.Place)
	case "ranked":
		return "below the page", fmt.Sprintf("User %s gets post %s at place %d, behind the first page.", user, post,
			a.Place)
	}
	reason, known := reasons[a.Rule]
	if !known {
		reason = a.Detail
	}
	return "left out", fmt.Sprintf("User %s does not see post %s because %s.", user, post, reason)
}
