package clickhouse

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionsBelowWhatWeNeedAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		"25.8.1.1": "", "25.8": "", "26.3.33.61": "", "26.7.2.1": "", "26.10.1.2": "", "27.1.1.1-testing": "",
		"26.3.4.5.altinitystable": "",
		"25.7.9.9":                "version 25.7.9.9 is too old; we need at least 25.8", "25.10.1.1": "",
		"24.8.14.39": "version 24.8.14.39 is too old; we need at least 25.8",
		"":           `"" is not a version of ClickHouse; we need at least 25.8`,
		"head":       `"head" is not a version of ClickHouse; we need at least 25.8`,
		"26":         `"26" is not a version of ClickHouse; we need at least 25.8`,
	} {
		_, err := suitable(text)
		if why == "" {
			require.NoError(t, err, text)
		} else {
			require.EqualError(t, err, why, text)
		}
	}
}

func TestVersionsThatLoseRowsAreNamedWithThoseThatDoNot(t *testing.T) {
	const says = ": an insert into a replicated table that is cancelled can lose rows which it had committed (ClickHouse/ClickHouse#112149); " +
		"it is fixed in 26.3.33.61, 26.6.5.114, 26.7.7.87, 26.8.3.98 and in later releases"
	for text, lost := range map[string]bool{
		"25.8.1.1": true, "26.3.33.60": true, "26.3.33.61": false, "26.3.34.1": false, "26.4.99.1": true,
		"26.5.1.1":   true,
		"26.6.5.113": true, "26.6.5.114": false, "26.7.2.1": true, "26.7.7.87": false, "26.8.3.97": true,
		"26.8.3.98": false, "26.9.1.1": false, "27.1.1.1": false,
	} {
		v, err := ParseVersion(text)
		require.NoError(t, err)
		if lost {
			require.Equal(t, []string{"ClickHouse " + v.String() + says}, losses(v))
		} else {
			require.Empty(t, losses(v), text)
		}
	}
}

func TestTheDocumentsTellTheVersions(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	require.Contains(t, string(text), "ClickHouse 25.8")
	text, err = os.ReadFile("../../../config/README.md")
	require.NoError(t, err)
	for _, l := range faults {
		for _, v := range l.fixed {
			require.Contains(t, string(text), v.String())
		}
	}
}
