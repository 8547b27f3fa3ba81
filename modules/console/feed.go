package console

import (
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/feedrank/feedrank/modules/console/people"
	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/core"
)

// feedView is a user's feed.
type feedView struct {
	User, Algo      string
	Limit           int
	Limits          []int
	Answer          *page
	Cards           []card
	Filtered        []filtered
	First, Next     string // addresses
	Later           bool   // not the first page
	Problem         *views.Problem
	FilteredProblem *views.Problem
	ByName          bool   // users can be found by their names
	Name            string // of the user
	Found           *foundPeople
}

// filtered is what one filter left out.
type filtered struct {
	Filter string `json:"filter"`
	Count  int    `json:"count"`
	Posts  []struct {
		Post   string `json:"post"`
		Author string `json:"author"`
	} `json:"posts"`
	Means string `json:"-"`
}

// meanings are the filters in a sentence.
var meanings = map[string]string{
	"own":           "The user's own posts.",
	"blocked":       "Posts of people whom the user blocks.",
	"blocked_by":    "Posts of people who block the user.",
	"muted":         "Posts of people whom the user mutes.",
	"author_hidden": "Posts of people who are suspended, banned or gone.",
	"not_visible":   "Posts that were deleted or hidden.",
	"dated_ahead":   "Posts that are dated ahead, and held back until their time.",
	"hidden":        "Posts that the user hid.",
	"label":         "Posts with labels that are not for the user.",
	"seen":          "Posts that the user saw in the last day.",
}

func (c *Console) feed(v *visit) error {
	view := feedView{User: v.QueryParam("user"), Algo: v.QueryParam("algo"), Limits: []int{10, 20, 50, 100}, Limit: 20}
	if n, err := strconv.Atoi(v.QueryParam("limit")); err == nil && slices.Contains(view.Limits, n) {
		view.Limit = n
	}
	if view.Algo != "timeline" {
		view.Algo = "ranked"
	}
	cursor := v.QueryParam("cursor")
	view.ByName = c.people != nil
	if view.ByName && view.User != "" && v.QueryParam("by") == "name" {
		view.Found = v.find(view.User)
		return v.show("feed", "Users by name", "feed", view)
	}
	if view.User == "" {
		return v.show("feed", "Feed", "feed", view)
	}
	asked := url.Values{"user": {view.User}, "algo": {view.Algo}, "limit": {strconv.Itoa(view.Limit)}}
	here := session.Path + "/feed?"
	view.First, view.Later = here+asked.Encode(), cursor != ""
	if view.Later {
		asked.Set("cursor", cursor)
	}
	var asking sync.WaitGroup
	if !view.Later {
		asking.Go(func() { view.Filtered, view.FilteredProblem = v.filtered(view.User) })
	}
	answer := &page{}
	err := v.get("/admin/v1/feed", asked, answer)
	asking.Wait()
	if err != nil {
		view.Problem = v.explain("The feed of user "+view.User+" cannot be shown", err)
		return v.show("feed", "Feed", "feed", view)
	}
	view.Answer = answer
	names := v.names(view.User, answer.Items)
	view.Name = names[view.User]
	most := highest(answer.Items)
	for i := range answer.Items {
		view.Cards = append(view.Cards, cardOf(answer.Items[i], i+1, most))
		view.Cards[i].Name = names[answer.Items[i].Author]
		if view.Later { // it is of what was left for this page
			view.Cards[i].Moved = ""
		}
	}
	if answer.NextCursor != nil {
		asked.Set("cursor", *answer.NextCursor)
		view.Next = here + asked.Encode()
	}
	return v.show("feed", "Feed of user "+view.User, "feed", view)
}

func (v *visit) filtered(user string) ([]filtered, *views.Problem) {
	var answer struct {
		Items []filtered `json:"items"`
	}
	err := v.get("/admin/v1/feed/filtered", url.Values{"user": {user}}, &answer)
	for i := range answer.Items {
		answer.Items[i].Means = meanings[answer.Items[i].Filter]
	}
	return answer.Items, v.explain("What was left out is not known", err)
}

// foundPeople are users whose name has a text in it.
type foundPeople struct {
	Rows    []people.Person
	Problem *views.Problem
}

// asProblem is an error of ours as the API would say it.
func asProblem(err error) error {
	if err == nil {
		return nil
	}
	return &problem{Code: core.CodeOf(err), Detail: err.Error()}
}

func (v *visit) find(name string) *foundPeople {
	found, err := v.console.people.Search(v.Request().Context(), name)
	return &foundPeople{Rows: found, Problem: v.explain("Users cannot be found by their names", asProblem(err))}
}

// names are those of a user and of authors. Without them a page has keys only.
func (v *visit) names(user string, items []item) map[string]string {
	if v.console.people == nil {
		return nil
	}
	ids := []string{user}
	for i := range items {
		ids = append(ids, items[i].Author)
	}
	names, _ := v.console.people.Names(v.Request().Context(), ids)
	return names
}
