package console

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestARankingIsTakenApartAndPutTogether(t *testing.T) {
	const ranking = `{"weights":{"freshness":0.3,"affinity":1},"freshness_decay":0.1,"deep":{"er":{"x":-5}}}`
	all, err := constants([]byte(ranking))
	require.NoError(t, err)
	require.Equal(t, []constant{
		{"weights.freshness", "0.3"}, {"weights.affinity", "1"}, {"freshness_decay", "0.1"}, {"deep.er.x", "-5"},
	}, all)
	text, err := json.Marshal(nested(all))
	require.NoError(t, err)
	require.JSONEq(t, ranking, string(text))
	for _, wrong := range []string{"", "[1]", `{"a":[1]}`, `{"a":true}`, `{"a":`} {
		_, err := constants([]byte(wrong))
		require.Error(t, err, wrong)
	}
	changed := append([]constant{}, all...)
	changed[0].Value, changed[1].Value = "0.30", "2"
	require.Equal(t, []difference{{"weights.affinity", "1", "2"}}, differences(all, changed))
}

func TestTheRunbookIsReadAsText(t *testing.T) {
	read := entries("x\n# Alerts\n\n## One\n\n- **Meaning**: a `b` is\n  [late](#late).\n- **Do**: wait.\n\n## Two\n\n- **Do**: c\n\n# Metrics\n\n## Not this\n")
	require.Len(t, read, 2)
	require.Equal(t, "One", read[0].Name)
	require.Equal(t, "a b is late.", read[0].Parts[0].Text)
	require.Equal(t, "Do", read[1].Parts[0].Name)
}

func TestOnlyAddressesOfTheConsoleAreGoneBackTo(t *testing.T) {
	for address, want := range map[string]string{
		"/console/feed?user=1": "/console/feed?user=1", "/console": "/console", "": "/console",
		"/consoles": "/console", "https://e/console": "/console", "//e/console/x": "/console",
		"/console/login?x": "/console",
		"/console/\r\nx":   "/console", `/console/\e`: "/console", "javascript:alert(1)": "/console",
	} {
		require.Equal(t, want, inside(address), address)
	}
}
