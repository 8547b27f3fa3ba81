package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThePlotHasALineForEachFigureThroughTheReference(t *testing.T) {
	dir := t.TempDir()
	write := func(bench, scale, events, figure, measured string) string {
		file := filepath.Join(dir, bench+figure+scale+".json")
		text := `{"bench":"` + bench + `","world":{"scale":"` + scale + `","events":` + events +
			`},"figures":[{"name":"` + figure + ` and so on","measured":` + measured + `}]}`
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	var files, firsts []string // one after the other: the reference, and a tenth of it
	for _, panel := range panels {
		for _, l := range panel.lines {
			files = append(files, write(l.bench, "reference", "1e7", l.figure, "4"),
				write(l.bench, "tenth", "1e6", l.figure, "2"))
			firsts = append(firsts, l.bench)
		}
	}
	var out strings.Builder
	require.NoError(t, draw(&out, files))
	require.Equal(t, len(firsts), strings.Count(out.String(), "<polyline"))
	decoder := xml.NewDecoder(strings.NewReader(out.String()))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.ErrorContains(t, draw(io.Discard, files[2:]), "no reports of "+firsts[0])
}

func TestWhatIsDoneForEachCPUSecondIsDrawnAsWhatOneTakes(t *testing.T) {
	var reports []report
	require.NoError(t, json.Unmarshal([]byte(`[
		{"bench":"ingest","world":{"scale":"reference","events":1e7},"figures":[{"name":"rate","unit":"/s","measured":100}]},
		{"bench":"ingest","world":{"scale":"large","events":1e8},"figures":[{"name":"rate","unit":"/s","measured":50}]}]`), &reports))
	points, reference := pointsOf(reports, line{bench: "ingest", figure: "rate", inverse: true})
	require.Equal(t, "10000 µs", reference)
	require.Equal(t, []point{{1e7, 1, 10_000}, {1e8, 2, 20_000}}, points)
}

func TestAnAmountHasThreeDigits(t *testing.T) {
	for want, measured := range map[string]float64{
		"0.827 ms": 0.8274, "9.81 ms": 9.8079, "183150 ms": 183150.2,
		"66.0 ms": 65.96,
	} {
		require.Equal(t, want, amount(measured, "ms"))
	}
}
