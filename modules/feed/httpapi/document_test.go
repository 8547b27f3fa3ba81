package httpapi

import (
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

type schema struct {
	Type       any
	MaxItems   int      `yaml:"maxItems"`
	MaxLength  int      `yaml:"maxLength"`
	Minimum    *float64 `yaml:"minimum"`
	Maximum    *float64 `yaml:"maximum"`
	Default    any
	Properties map[string]schema
}

type parameter struct {
	Name   string
	Schema schema
}

// document is what the tests read of the description of the API.
type document struct {
	Paths      map[string]map[string]struct{ Parameters []parameter }
	Components struct{ Schemas map[string]schema }
}

func documentOf(t *testing.T) document {
	t.Helper()
	text, err := os.ReadFile("../../openapi/openapi.yaml")
	require.NoError(t, err)
	var d document
	require.NoError(t, yaml.Unmarshal(text, &d))
	return d
}

func (d document) parameter(t *testing.T, path, name string) schema {
	t.Helper()
	for _, p := range d.Paths[path]["get"].Parameters {
		if p.Name == name {
			return p.Schema
		}
	}
	require.Fail(t, "not documented", "%s of %s", name, path)
	return schema{}
}

func TestTheDocumentHasTheLimitsOfTheCode(t *testing.T) {
	d := documentOf(t)
	for _, c := range []struct {
		path          string
		most, without int
	}{
		{"/api/v1/feed", maxLimit, feed.DefaultLimit},
		{"/api/v1/feed/trending", maxTrending, defaultTrending},
		{"/admin/v1/why-not", maxLimit, feed.DefaultLimit},
	} {
		limit := d.parameter(t, c.path, "limit")
		require.EqualValues(t, 1, *limit.Minimum, c.path)
		require.EqualValues(t, c.most, *limit.Maximum, c.path)
		require.Equal(t, c.without, limit.Default, c.path)
	}
	require.Equal(t, maxCursorParameter, d.parameter(t, "/api/v1/feed", "cursor").MaxLength)
	schemas := d.Components.Schemas
	require.Equal(t, maxNote, schemas["RankingChange"].Properties["note"].MaxLength)
	require.Equal(t, maxNote, schemas["RankingRollback"].Properties["note"].MaxLength)
	require.Equal(t, feed.MaxDryRun, schemas["RankingTrial"].Properties["users"].MaxItems)
	require.Equal(t, maxTrending, schemas["Page"].Properties["items"].MaxItems)
	sameConstants(t, reflect.TypeFor[rank.Config](), schemas["RankingConstants"], "ranking")
}

var bound = regexp.MustCompile(`(gte|lte)=(-?[0-9.]+)`)

// sameConstants compares each constant of the ranking with its description.
func sameConstants(t *testing.T, of reflect.Type, described schema, path string) {
	t.Helper()
	require.Len(t, described.Properties, of.NumField(), path)
	for i := range of.NumField() {
		field := of.Field(i)
		name := field.Tag.Get("json")
		property, ok := described.Properties[name]
		require.True(t, ok, "%s.%s", path, name)
		if field.Type.Kind() == reflect.Struct {
			sameConstants(t, field.Type, property, path+"."+name)
			continue
		}
		for _, rule := range bound.FindAllStringSubmatch(field.Tag.Get("validate"), -1) {
			want, err := strconv.ParseFloat(rule[2], 64)
			require.NoError(t, err)
			have := property.Minimum
			if rule[1] == "lte" {
				have = property.Maximum
			}
			require.NotNil(t, have, "%s.%s", path, name)
			require.InDelta(t, want, *have, 0, "%s.%s %s", path, name, rule[1])
		}
		require.Equal(t, field.Type.Kind() == reflect.Int || field.Type.Kind() == reflect.Int64,
			property.Type == "integer", "%s.%s", path, name)
	}
}

func TestSinceTakesATimeInEveryForm(t *testing.T) {
	a := &API{clock: fixedAt{time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}}
	for _, text := range []string{
		"2026-05-01T12:00:00.123Z", "2026-05-01T12:00:00+00:00", "2026-05-01T12:00:00 00:00",
		"2026-05-01t14:00:00+02:00", "2026-05-01T14:00:00 02:00",
	} {
		at, err := a.parseSince(text)
		require.NoError(t, err, text)
		require.Equal(t, a.clock.Now(), at.Truncate(time.Second), text)
	}
	for _, text := range []string{
		"", "noon", "2026-05-01", "2026-05-01 12:00:00Z", "2026-05-01T12:02:00Z",
		strings.Repeat("1", 64),
	} {
		_, err := a.parseSince(text)
		require.Error(t, err, text)
	}
}

type fixedAt struct{ at time.Time }

func (c fixedAt) Now() time.Time { return c.at }
