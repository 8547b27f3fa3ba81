package console

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func daysOf(t *testing.T, text string) (days []feedDay) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &days))
	return days
}

const twoDays = `[
	{"date":"2026-01-01","cache_hit_ratio":0.5,"served_from":{"cache":5,"clickhouse":3,"stale":2},
	 "total":{"impressions":100,"clicks":10,"hides":1,"dwell_p50_ms":2000},
	 "rows":[{"source":"followees","ranking_version":1,"impressions":30,"clicks":3,"dwell_p50_ms":1000},
	         {"source":"followees","ranking_version":2,"impressions":10,"clicks":5,"dwell_p50_ms":3000},
	         {"source":"trending","ranking_version":2,"impressions":0,"clicks":0}]},
	{"date":"2026-01-02","cache_hit_ratio":null,"served_from":null,
	 "total":{"impressions":200,"clicks":10,"hides":0,"dwell_p50_ms":null},"rows":[]}]`

func texts(row qualityRow) (all []string) {
	for _, f := range row.Figures {
		all = append(all, f.Text)
	}
	return all
}

func TestTheNumbersOfADay(t *testing.T) {
	var view qualityView
	view.plot(daysOf(t, twoDays))
	require.Equal(t, "2026-01-02", view.Rows[0].Day, "the latest first")
	require.Equal(t, []string{"5.0 %", "", "0.0", "", ""}, texts(view.Rows[0]))
	require.Equal(t, []string{"10.0 %", "2.0 s", "10.0", "50.0 %", "20.0 %"}, texts(view.Rows[1]))

	view = qualityView{By: "source"}
	view.plot(daysOf(t, twoDays))
	require.Equal(t, "followees", view.Rows[0].Series)
	require.Equal(t, []string{"20.0 %", "1.5 s", "0.0", "", ""}, texts(view.Rows[0]), "versions are summed")
	require.Equal(t, []string{"", "", "", "", ""}, texts(view.Rows[1]), "nothing is known of nothing")

	view = qualityView{By: "version"}
	view.plot(daysOf(t, twoDays))
	require.Equal(t, "version 1", view.Rows[0].Series)
	require.Equal(t, "version 2", view.Rows[1].Series)
}

func TestAChartHasAGapWhereADayIsNotKnown(t *testing.T) {
	c := newChart(measures[0], make([]feedDay, 4))
	one := func(f float64) figure { return known(f, asPercent) }
	c.add("a", []figure{one(0), one(0.5), {}, one(1)})
	c.add("b", []figure{{}, {}, {}, {}})
	c.draw()
	require.Len(t, c.Series, 1, "what is not known at all is not drawn")
	require.Equal(t, "M8.0 142.0L202.7 75.0M592.0 8.0", c.Series[0].Path)
	require.Equal(t, "100.0 %", c.Top)
	require.Equal(t, "100.0 %", c.Series[0].Latest)
	require.Len(t, c.Series[0].Dots, 3)

	for range 10 {
		c.add("more", []figure{one(1)})
	}
	require.Len(t, c.Series, chartLines)
	var nothing qualityView
	nothing.plot(nil)
	require.False(t, nothing.Known)
}
