package weave_test

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/weave"
)

// odd is text that breaks out where it is not escaped.
const odd = `"><script>alert(1)</script>'&+` + "\x00é"

type inner struct {
	Name  string
	Count int64
	When  *time.Time
}

type kind string

func (k kind) String() string { return "kind " + string(k) }

type value struct {
	Title  string
	Zero   int
	N      int
	F      float64
	Yes    bool
	List   []inner
	Few    []string
	Map    map[string]string
	Any    any
	In     *inner
	Nil    *inner
	Kind   kind
	inside string
}

// Double is a method: html/template calls it, weave asks by Attribute.
func (v value) Double(n int) int { return 2 * n }

// Attribute implements weave.Attributes.
func (v value) Attribute(name string) any {
	if name == "Double" {
		return v.Double
	}
	return nil
}

func sample() value {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return value{
		Title: odd, N: 3, F: 0.25, Yes: true, List: []inner{{"a", 1, &at}, {odd, 2, nil}}, Few: []string{"x", odd},
		Map: map[string]string{"b": odd, "a": "1"}, Any: inner{"in", 7, nil}, In: &inner{"at", 8, &at}, Kind: "k",
		inside: "never",
	}
}

var functions = map[string]any{
	"upper": strings.ToUpper, "year": func(t time.Time) int { return t.Year() },
	"join":  func(all ...string) string { return strings.Join(all, "|") },
	"half":  func(f float64) float64 { return f / 2 },
	"long":  func(n int64) string { return fmt.Sprint("n", n) },
	"fails": func() (string, error) { return "", fmt.Errorf("it fails") },
	"dict": func(pairs ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	},
}

func woven(text string, v any) (string, error) {
	t, err := weave.New(functions, text)
	if err != nil {
		return "", err
	}
	out, err := t.Execute("t", v)
	return string(out), err
}

// What is printed is what html/template prints.
func TestWhatIsPrintedIsWhatHTMLTemplatePrints(t *testing.T) {
	for _, text := range []string{
		`<b>{{.Title}}</b>`, `<i title="{{.Title}}" class="a {{.Kind}}">{{.Kind}}</i>`, `{{.N}} {{.F}} {{.Yes}} {{.Zero}}`,
		`{{if .Yes}}y{{else}}n{{end}}{{if .Zero}}y{{else}}n{{end}}{{if .Nil}}y{{else}}n{{end}}{{if .List}}y{{end}}`,
		`{{with .In}}{{.Name}} {{year .When}}{{end}}{{with .Nil}}never{{else}}{{.N}}{{end}}`,
		`{{range .List}}<p>{{.Name}} {{$.N}}{{with .When}} {{year .}}{{end}}</p>{{else}}none{{end}}`,
		`{{range $i, $one := .Few}}{{if $i}}, {{end}}{{$one}}{{end}}{{range $x := .Few}}{{$x}}{{end}}`,
		`{{range .Map}}{{.}};{{end}}{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}`,
		`{{$n := .N}}{{if .Yes}}{{$n = 9}}{{$m := 4}}{{$m}}{{end}}{{$n}}`, `{{.Any.Name}} {{.In.Count}} {{.Map.a}} {{.Map.z}}`,
		`{{upper .Title}} {{"a" | upper}} {{join "x" "y"}} {{join}} {{half .F}} {{half 3}} {{long 4}}`,
		`{{eq .N 3}} {{eq .N 1 3}} {{ne .Title "x"}} {{gt .N 2}} {{ge .F 0.25}} {{lt 1 .N}} {{le .N 2}} {{not .Yes}} {{eq .Kind "k"}}`,
		`{{and .Yes .N}} {{and .Zero .N}} {{or .Zero .N}} {{or .Zero ""}}|{{len .List}} {{index .Few 1}} {{printf "%.1f %s" .F .Title}}`,
		`{{if and .Yes (or .Zero (eq .N 3))}}deep{{end}} {{if and .Nil .Nil.Name}}never{{end}}`,
		`{{$n := 1}}{{if .Yes}}{{$n := 2}}{{$n}}{{end}}{{range .Few}}{{$n := 3}}{{end}}{{$n}}`,
		`{{.Double 4}} {{(.Double .N)}} {{$.Double 1}}`, `{{if eq .N 1}}one{{else if eq .N 3}}three{{else}}more{{end}}`,
		`{{define "x"}}<u>{{.name}}{{template "y" .n}}</u>{{end}}{{define "y"}}{{.}}{{end}}{{template "x" dict "name" .Title "n" .N}}`,
		`{{block "z" .}}{{.N}}{{end}}`, "a {{- .N -}} \n b {{/* nothing */}} c", `<input value="{{.Title}}"{{if .Yes}} checked{{end}}>`,
		`<a href="/x?{{if .Yes}}y{{end}}#{{.N}}" data-x="{{.Title}}">{{.Nil}}</a>`, `{{with $x := .N}}{{$x}}{{.}}{{end}}`,
	} {
		whole := `{{define "t"}}` + text + `{{end}}`
		if i := strings.LastIndex(text, `{{define`); i >= 0 { // definitions stand by themselves
			end := strings.LastIndex(text, `{{end}}`) + len(`{{end}}`)
			whole = text[:end] + `{{define "t"}}` + text[end:] + `{{end}}`
		}
		oracle, err := template.New("").Funcs(functions).Parse(whole)
		require.NoError(t, err, text)
		var want bytes.Buffer
		require.NoError(t, oracle.ExecuteTemplate(&want, "t", sample()), text)
		got, err := woven(whole, sample())
		require.NoError(t, err, text)
		if !strings.Contains(text, ".Nil}}</a>") { // which html/template prints as <nil>
			require.Equal(t, want.String(), got, text)
		}
		require.NotContains(t, got, "<script")
	}
}

func TestAnActionStandsWhereEscapingHoldsIt(t *testing.T) {
	for _, text := range []string{
		`<a href={{.Title}}>`, `<a {{.Title}}>`, `<a {{.Title}}="x">`, `<{{.Title}}>`, `<a onclick="{{.Title}}">`,
		`<p style="{{.Title}}">`, `<script>{{.Title}}</script>`, `<style>{{.Title}}</style>`, `<a href='{{.Title}}'>`,
		`<a class="x{{if .Yes}}"{{end}}>`, `{{if .Yes}}<a {{end}}`, `<a class="{{.Title}}`, `<a {{template "t"}}>`,
		`<a href=x{{.Title}}>`, `<iframe srcdoc="{{.Title}}">`, `{{range .List}}<p {{end}}`, `{{range .List}}{{break}}{{end}}`,
	} {
		_, err := weave.New(functions, `{{define "t"}}`+text+`{{end}}`)
		require.Error(t, err, text)
	}
}

func TestAnAddressLeadsWithinThisHost(t *testing.T) {
	for address, want := range map[string]string{
		"/console": "/console", "#x": "#x", "": "", "?a=b": "?a=b", "javascript:alert(1)": "#", "//evil.example": "#",
		"https://evil.example": "#", `/\evil.example`: "#", " javascript:alert(1)": "#", "data:text/html,x": "#", "x": "#",
	} {
		for _, text := range []string{`<a href="{{.}}">`, `<form action="{{.}}">`, `<img src="{{if .}}{{.}}{{end}}">`} {
			got, err := woven(`{{define "t"}}`+text+`{{end}}`, address)
			require.NoError(t, err)
			require.Contains(t, got, `"`+want+`"`, "%s of %s", text, address)
		}
		got, err := woven(`{{define "t"}}<meta http-equiv="refresh" content="0; url={{.}}">{{end}}`, address)
		require.NoError(t, err)
		require.Contains(t, got, `url=`+want+`"`)
	}
	got, err := woven(`{{define "t"}}<a href="#{{.}}">{{end}}`, "javascript:x")
	require.NoError(t, err)
	require.Equal(t, `<a href="#javascript:x">`, got, "behind what it begins with it is text")
}

func TestWhatIsWrongEndsThePage(t *testing.T) {
	for _, text := range []string{
		`{{.Nothing}}`, `{{.inside}}`, `{{.Nil.Name}}`, `{{upper}}`, `{{upper 1 2}}`, `{{upper .List}}`, `{{fails}}`,
		`{{template "none"}}`, `{{template "t" .}}`, `{{lt .Title 1}}`, `{{range .N}}{{end}}`, `{{.Title.X}}`, `{{.N 3}}`,
		`{{index .Few 9}}`, `{{.Few.Len}}`,
	} {
		got, err := woven(`{{define "t"}}before `+text+`{{end}}`, sample())
		require.Error(t, err, text)
		require.Empty(t, got, "no half of a page")
	}
	_, err := weave.New(functions, `{{define "t"}}{{unknown}}{{end}}`)
	require.Error(t, err)
}

func TestALaterTextDefinesAgain(t *testing.T) {
	templates, err := weave.New(functions, `{{define "frame"}}<h1>{{block "title" .}}none{{end}}</h1>`+
		`{{template "content" .}}{{end}}`, `{{define "title"}}{{.N}}{{end}}{{define "content"}}{{.F}}{{end}}`)
	require.NoError(t, err)
	got, err := templates.Execute("frame", sample())
	require.NoError(t, err)
	require.Equal(t, "<h1>3</h1>0.25", string(got))
}

func FuzzWhatIsWrittenStaysWhereItStands(f *testing.F) {
	f.Add(odd)
	templates, err := weave.New(functions, `{{define "t"}}<p title="{{.}}">{{.}}</p><a href="{{.}}">x</a>{{end}}`)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		out, err := templates.Execute("t", text)
		require.NoError(t, err)
		require.Equal(t, 4, bytes.Count(out, []byte("<")))
		require.Equal(t, 4, bytes.Count(out, []byte(`"`)))
		require.NotContains(t, string(out), "\x00")
	})
}
