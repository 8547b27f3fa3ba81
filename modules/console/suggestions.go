package console

import (
	"cmp"
	"fmt"
	"net/url"

	"github.com/feedrank/feedrank/modules/console/views"
)

// suggestionsView is whom a user is suggested to follow.
type suggestionsView struct {
	User    string
	Answer  *suggestions
	Rows    []suggestionRow
	Sorted  sorting
	Problem *views.Problem
}

type suggestions struct {
	Items []struct {
		User   string `json:"user"`
		Reason struct {
			Kind  string   `json:"kind"`
			Count int64    `json:"count"`
			Users []string `json:"users"`
		} `json:"reason"`
		Score float64 `json:"score"`
	} `json:"items"`
	ServedFrom string `json:"served_from"`
	Degraded   bool   `json:"degraded"`
}

type suggestionRow struct {
	Place int
	User  string
	Why   string
	Names []string // some of those who are the reason
	Score float64
	Width string
}

func (c *Console) suggestions(v *visit) error {
	view := suggestionsView{User: v.QueryParam("user")}
	if view.User == "" {
		return v.show("suggestions", "Suggestions", "trending", view)
	}
	answer := &suggestions{}
	err := v.get("/admin/v1/suggested-users", url.Values{"user": {view.User}, "limit": {"50"}}, answer)
	if err != nil {
		view.Problem = v.explain("The suggestions cannot be shown", err)
		return v.show("suggestions", "Suggestions", "trending", view)
	}
	view.Answer = answer
	most := 0.0
	for _, item := range answer.Items {
		most = max(most, item.Score)
	}
	for i, item := range answer.Items {
		view.Rows = append(view.Rows, suggestionRow{
			Place: i + 1, User: item.User, Why: because(item.Reason.Kind, item.Reason.Count),
			Names: item.Reason.Users, Score: item.Score, Width: views.Width(item.Score, most),
		})
	}
	view.Sorted = sorted(v, "sort", view.Rows, columns[suggestionRow]{
		"place": func(a, b suggestionRow) int { return cmp.Compare(a.Place, b.Place) },
		"user":  func(a, b suggestionRow) int { return compareKeys(a.User, b.User) },
		"why":   func(a, b suggestionRow) int { return cmp.Compare(a.Why, b.Why) },
		"score": func(a, b suggestionRow) int { return cmp.Compare(a.Score, b.Score) },
	})
	return v.show("suggestions", "Suggestions to user "+view.User, "trending", view)
}

// because is a reason in a sentence about the user.
func because(kind string, count int64) string {
	switch kind {
	case "followed_by":
		return "followed by " + persons(count) + " whom they follow"
	case "engaged_by":
		return fmt.Sprintf("%s whom they follow %s, %s or %s their posts", persons(count),
			verb(count, "likes", "like"), verb(count, "comments on", "comment on"),
			verb(count, "shares", "share"))
	case "engaged":
		return fmt.Sprintf("they like, comment on and share their posts (%d, weighted)", count)
	case "popular":
		return persons(count) + " like, comment on or share their posts"
	case "active":
		return "they posted lately"
	}
	return kind
}

func persons(n int64) string { return views.Plural(int(n), "person", "people") }

// verb is the form of a word for so many.
func verb(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
