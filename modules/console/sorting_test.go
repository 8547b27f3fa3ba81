package console

import (
	"cmp"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

func TestAListIsInTheOrderThatTheAddressNames(t *testing.T) {
	type row struct {
		name  string
		score int
	}
	by := columns[row]{
		"name":  func(a, b row) int { return compareKeys(a.name, b.name) },
		"score": func(a, b row) int { return cmp.Compare(a.score, b.score) },
	}
	for asked, want := range map[string]string{
		"": "10 b 9 a", "?sort=nothing": "10 b 9 a", "?sort=name": "9 10 a b", "?sort=-name": "b a 10 9",
		"?sort=score": "b 9 a 10", "?sort=-score": "10 9 a b", "?other=name": "10 b 9 a",
	} {
		rows := []row{{"10", 7}, {"b", 1}, {"9", 5}, {"a", 5}}
		c := echo.New().NewContext(httptest.NewRequest("GET", "/console/list"+asked, nil), httptest.NewRecorder())
		sorted(&visit{Context: c}, "sort", rows, by)
		got := ""
		for _, r := range rows {
			got += " " + r.name
		}
		require.Equal(t, " "+want, got, asked)
	}
	c := echo.New().NewContext(
		httptest.NewRequest("GET", "/console/list?user=1&sort=name", nil), httptest.NewRecorder())
	s := sorted(&visit{Context: c}, "sort", []row(nil), by)
	require.Equal(t, "/console/list?sort=-name&user=1", s.Link("name"), "the other way")
	require.Equal(t, "/console/list?sort=score&user=1", s.Link("score"))
	require.Equal(t, "ascending", s.Way("name"))
	require.Empty(t, s.Way("score"))
}
