package main

import (
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
		text := `{"bench":"` + bench + `","world":{"scale":"` + scale + `","events":` + events + `},"figures":[{"name":"` + figure + ` and so on","measured":` + measured + `}]}`
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	var files []string
	for _, l := range lines {
		files = append(files, write(l.bench, "reference", "1e7", l.figure, "4"), write(l.bench, "tenth", "1e6", l.figure, "2"))
	}
	var out strings.Builder
	require.NoError(t, draw(&out, files))
	require.Equal(t, len(lines), strings.Count(out.String(), "<polyline"))
	decoder := xml.NewDecoder(strings.NewReader(out.String()))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.ErrorContains(t, draw(io.Discard, files[2:]), "no reports of "+lines[0].bench)
}
