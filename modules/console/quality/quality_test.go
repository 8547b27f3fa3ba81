package quality

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func daysOf(t *testing.T, text string) (days []Day) {
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

func texts(row Row) (all []string) {
	for _, f := range row.Figures {
		all = append(all, f.Text)
	}
	return all
}

func TestTheNumbersOfADay(t *testing.T) {
	_, rows := Plot(daysOf(t, twoDays), "")
	require.Equal(t, "2026-01-02", rows[0].Day, "the latest first")
	require.Equal(t, []string{"5.0 %", "", "0.0", "", ""}, texts(rows[0]))
	require.Equal(t, []string{"10.0 %", "2.0 s", "10.0", "50.0 %", "20.0 %"}, texts(rows[1]))

	_, rows = Plot(daysOf(t, twoDays), "source")
	require.Equal(t, "followees", rows[0].Series)
	require.Equal(t, []string{"20.0 %", "1.5 s", "0.0", "", ""}, texts(rows[0]), "versions are summed")
	require.Equal(t, []string{"", "", "", "", ""}, texts(rows[1]), "nothing is known of nothing")

	_, rows = Plot(daysOf(t, twoDays), "version")
	require.Equal(t, "version 1", rows[0].Series)
	require.Equal(t, "version 2", rows[1].Series)
}

func TestAChartHasAGapWhereADayIsNotKnown(t *testing.T) {
	c := newChart(measures[0], make([]Day, 4))
	one := func(f float64) Figure { return known(f, asPercent) }
	c.add("a", []Figure{one(0), one(0.5), {}, one(1)})
	c.add("b", []Figure{{}, {}, {}, {}})
	c.draw()
	require.Len(t, c.Series, 1, "what is not known at all is not drawn")
	require.Equal(t, "M8.0 142.0L202.7 75.0M592.0 8.0", c.Series[0].Path)
	require.Equal(t, "100.0 %", c.Top)
	require.Equal(t, "100.0 %", c.Series[0].Latest)
	require.Len(t, c.Series[0].Dots, 3)

	for range 10 {
		c.add("more", []Figure{one(1)})
	}
	require.Len(t, c.Series, colours)
	charts, rows := Plot(nil, "")
	require.Empty(t, charts)
	require.Empty(t, rows)
}
