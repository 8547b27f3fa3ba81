package docs_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/feedrank/feedrank/modules/openapi/docs"
)

func page(t *testing.T) (source []byte, html string) {
	t.Helper()
	source, err := os.ReadFile("../openapi.yaml")
	require.NoError(t, err)
	made, err := docs.HTML(source)
	require.NoError(t, err)
	return source, string(made)
}

func TestThePageHasEveryCallParameterAndSchema(t *testing.T) {
	source, html := page(t)
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `yaml:"operationId"`
			Summary     string
			Parameters  []struct{ Name string }
		}
		Components struct{ Schemas map[string]any }
	}
	require.NoError(t, yaml.Unmarshal(source, &document))
	for path, item := range document.Paths {
		for method, call := range item {
			from := strings.Index(html, `<article id="`+call.OperationID+`">`)
			require.Positive(t, from, path)
			article := html[from : from+strings.Index(html[from:], "</article>")]
			require.Contains(t, article, strings.ToUpper(method)+"</span> <code>"+path+"</code>")
			for _, parameter := range call.Parameters {
				if parameter.Name != "" { // else it refers to one
					require.Contains(t, article, "<code>"+parameter.Name+"</code>", path)
				}
			}
		}
	}
	for name := range document.Components.Schemas {
		require.Contains(t, html, `<article id="schema-`+name+`">`)
	}
	require.Contains(t, html, "whole number, 1 to 100; 20 where it is left out")
	require.Contains(t, html, "impression, view, click, like")
	require.Contains(t, html, "a time as RFC 3339 has it, at most a minute ahead")
}

func TestEveryLinkOfThePageLeadsSomewhereInIt(t *testing.T) {
	_, html := page(t)
	links := regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(html, -1)
	require.Greater(t, len(links), 100)
	for _, link := range links {
		if anchor, inside := strings.CutPrefix(link[1], "#"); inside {
			require.Equal(t, 1, strings.Count(html, `id="`+anchor+`"`), anchor)
			continue
		}
		require.Contains(t, []string{"/docs/style.css", "/openapi.json"}, link[1], "nothing of another host")
	}
	require.NotContains(t, html, "<script")
	require.NotContains(t, html, "style=")
}

func TestExamplesOfBodiesAreJSONWithWhatIsRequired(t *testing.T) {
	_, html := page(t)
	examples := regexp.MustCompile(`(?s)<pre[^>]*>(.*?)</pre>`).FindAllStringSubmatch(html, -1)
	require.Greater(t, len(examples), 3)
	for _, example := range examples {
		text := strings.ReplaceAll(strings.ReplaceAll(example[1], "&#34;", `"`), "&#43;", "+")
		require.True(t, json.Valid([]byte(text)), text)
	}
	require.Contains(t, html, "&#34;event_id&#34;: &#34;6f1f64c0-")
}

func TestAReferenceThatLeadsNowhereIsAnError(t *testing.T) {
	source, _ := page(t)
	broken := bytes.Replace(source, []byte(`"#/components/schemas/Page"`), []byte(`"#/components/schemas/Pge"`), 1)
	_, err := docs.HTML(broken)
	require.ErrorContains(t, err, "there is no #/components/schemas/Pge")
}
