package console

import (
	"github.com/feedrank/feedrank/modules/console/people"
	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/core"
)

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
