package console

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// sorting is the order of a list, as the address says it.
type sorting struct {
	name  string // of the parameter
	by    string // the column; empty: as the list came
	down  bool
	path  string
	asked url.Values
}

// columns are the orders of a list by what its columns are called in the address.
type columns[T any] map[string]func(a, b T) int

// sorted puts a list into the order that a parameter of the address names: a column, with "-" the other way.
func sorted[T any](v *visit, name string, rows []T, by columns[T]) sorting {
	s := sorting{name: name, path: v.Request().URL.Path, asked: v.QueryParams()}
	column, down := strings.CutPrefix(v.QueryParam(name), "-")
	compare, ok := by[column]
	if !ok {
		return s
	}
	s.by, s.down = column, down
	slices.SortStableFunc(rows, func(a, b T) int {
		if down {
			a, b = b, a
		}
		return compare(a, b)
	})
	return s
}

// Link is the same page with the list by a column; the other way round where it is by that already.
func (s sorting) Link(column string) string {
	asked := url.Values{}
	for name, values := range s.asked {
		asked[name] = values
	}
	if s.by == column && !s.down {
		column = "-" + column
	}
	asked.Set(s.name, column)
	return s.path + "?" + asked.Encode()
}

// Way is how a column is ordered, as aria-sort says it; empty: not by this one.
func (s sorting) Way(column string) string {
	switch {
	case s.by != column:
		return ""
	case s.down:
		return "descending"
	}
	return "ascending"
}

// compareKeys orders keys as people do: numbers by what they are, before all others.
func compareKeys(a, b string) int {
	x, err1 := strconv.ParseInt(a, 10, 64)
	y, err2 := strconv.ParseInt(b, 10, 64)
	switch {
	case err1 == nil && err2 == nil:
		return cmp.Compare(x, y)
	case err1 == nil:
		return -1
	case err2 == nil:
		return 1
	}
	return cmp.Compare(a, b)
}
