package harness

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSeriesAddUpByNameAndLabels(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w,
			"# HELP calls Calls.\ncalls{to=\"redis\",outcome=\"ok\"} 3\ncalls{to=\"redis\",outcome=\"slow\"} 1\ncalls{to=\"kafka\",outcome=\"ok\"} 10\n"+
				"calls_more 100\nposts 7.5\nseconds_bucket{le=\"+Inf\"} 2\n")
	}))
	defer server.Close()
	m, err := (&Program{Name: "program", AdminAddr: strings.TrimPrefix(server.URL, "http://")}).Metrics(t.Context())
	require.NoError(t, err)
	require.InDelta(t, 14, m.Sum("calls"), 0)
	require.InDelta(t, 4, m.Sum("calls", `to="redis"`), 0)
	require.InDelta(t, 3, m.Sum("calls", `to="redis"`, `outcome="ok"`), 0)
	require.InDelta(t, 7.5, m.Sum("posts"), 0)
	require.Zero(t, m.Sum("absent"))
}
