package mapping

import (
	"slices"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/core"
)

// peopleFields are the fields of a kind that name people, beside the id of a user.
func (k Kind) peopleFields() []string {
	l := k.Layout()
	switch k {
	case Follow, Block, Mute:
		return []string{l.First, l.Other}
	case Post, Comment, Like, Member, Hide:
		return []string{l.First}
	default:
		return nil
	}
}

// People are the users whom a row of ours names; 0 stands for none.
func (k Kind) People(row Row) []int64 {
	switch k {
	case User:
		return []int64{row.ID}
	case Follow, Block, Mute:
		return []int64{row.First, row.Other}
	default:
		return []int64{row.First}
	}
}

// People are the users whom a change names: in the row's columns, and in its key, which is all that is
// known of a deleted one.
func (s *Source) People(row Row, key envelope.Row) []int64 {
	people := s.Kind.People(row)
	if !row.Gone {
		return people
	}
	for _, field := range s.Kind.peopleFields() {
		if !key.Has(s.config.Column(field)) {
			continue
		}
		if person, err := s.key(field, key); err == nil { // else it is nobody of ours
			people = append(people, int64(person.ID))
		}
	}
	return people
}

// PeopleColumns are the app's columns that name people, in the order of the kind's fields.
func (s *Source) PeopleColumns() []string {
	var columns []string
	for _, field := range s.Kind.peopleFields() {
		columns = append(columns, s.config.Column(field))
	}
	return columns
}

// NamesErased tells whether one of these people is erased.
func NamesErased(erased core.Erased, people []int64) bool {
	return slices.ContainsFunc(people, func(id int64) bool { return erased.Has(core.ID(id)) })
}
