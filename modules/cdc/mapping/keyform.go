package mapping

import "github.com/feedrank/feedrank/modules/core"

// Refers is a column of the app that holds keys of users, posts or groups.
type Refers struct {
	Field  string // of the kind
	Column string
	To     Kind // User, Post or Group
}

// Refers are the columns of the kind's table that hold keys of users, posts and groups, its own id included.
func (s *Source) Refers() []Refers {
	var all []Refers
	for _, field := range s.config.fields(s.Kind) {
		column := s.config.Column(field)
		if field == fieldCreatedAt || field == fieldValue || column == "" {
			continue
		}
		all = append(all, Refers{Field: field, Column: column, To: s.Kind.refersTo(field)})
	}
	return all
}

// refersTo is whose keys a field holds: users', posts' or groups'.
func (k Kind) refersTo(field string) Kind {
	switch {
	case field == fieldID:
		return k
	case field == k.Layout().Other && (k == Comment || k == Like || k == Hide):
		return Post
	case field == fieldGroup && (k == Post || k == Member):
		return Group
	default:
		return User
	}
}

// formOf is the form of the keys that a field holds.
func (k Kind) formOf(field string, keys core.KeyForms) core.KeyForm {
	form := keys.Users
	if to := k.refersTo(field); to == Post {
		form = keys.Posts
	} else if to == Group {
		form = keys.Groups
	}
	if form == "" {
		return core.IntegerKeys
	}
	return form
}

// Form is the form of the keys that a field holds.
func (s *Source) Form(field string) core.KeyForm { return s.Kind.formOf(field, s.keys) }
