package console

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// actionsView is what operators did.
type actionsView struct {
	Who, What string
	Oldest    bool // first
	Kinds     []string
	Rows      []action
	Next      string
	Problem   *views.Problem
}

type action struct {
	At        time.Time       `json:"at"`
	Who       string          `json:"who"`
	What      string          `json:"what"`
	Target    string          `json:"target"`
	Before    json.RawMessage `json:"before"`
	After     json.RawMessage `json:"after"`
	Status    int             `json:"status"`
	RequestID string          `json:"request_id"`
	Address   string          `json:"address"`
}

func (c *Console) actions(v *visit) error {
	view := actionsView{
		Who: v.QueryParam("who"), What: v.QueryParam("what"), Oldest: v.QueryParam("order") == "oldest",
		Kinds: httpserver.Operations,
	}
	asked := url.Values{"limit": {"50"}}
	if view.Oldest {
		asked.Set("order", "oldest")
	}
	for name, value := range map[string]string{"who": view.Who, "what": view.What, "cursor": v.QueryParam("cursor")} {
		if value != "" {
			asked.Set(name, value)
		}
	}
	var answer struct {
		Items      []action `json:"items"`
		NextCursor *string  `json:"next_cursor"`
	}
	err := v.get("/admin/v1/actions", asked, &answer)
	view.Rows, view.Problem = answer.Items, v.explain("What operators did is not known", err)
	if answer.NextCursor != nil {
		asked.Set("cursor", *answer.NextCursor)
		asked.Del("limit")
		view.Next = session.Path + "/actions?" + asked.Encode()
	}
	return v.show("actions", "Audit list", "actions", view)
}
