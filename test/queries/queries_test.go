// Package queries runs every statement under sql/clickhouse by itself, with values that mean something to whoever
// reads a parameter on its way.
package queries

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// odd are texts that have lost statements elsewhere.
var odd = []string{
	"plain", "it's", `back\slash`, "ta\tb", "new\nline", "nul\x00", "🦊", `"quoted"`, `\N`, "', 1) --",
	"{x:String}", "a,b", "7:'8",
}

var (
	parameter = regexp.MustCompile(`\{(\w+):\s*([^{}]+)\}`)
	comment   = regexp.MustCompile(`--[^\n]*`)
)

// value is one for a parameter.
func value(t *testing.T, database, name, kind string) any {
	t.Helper()
	switch {
	case kind == "Identifier" && name == "copy":
		return clickhouse.Identifier("likes")
	case kind == "Identifier":
		return clickhouse.Identifier("viewer_edges")
	case name == "erased_users":
		return database + ".erased_users"
	case kind == "Array(String)":
		return odd
	case kind == "String":
		return strings.Join(odd, "")
	case kind == "Array(Date)":
		return []string{"2026-01-31"}
	case kind == "Date":
		return "2026-01-31"
	case kind == "UUID":
		return "018f0000-0000-7000-8000-000000000001"
	case kind == "Bool":
		return true
	case kind == "Float64":
		return 0.25
	case strings.HasPrefix(kind, "Array("):
		return []int64{1, 2}
	case strings.HasPrefix(kind, "Int"), strings.HasPrefix(kind, "UInt"):
		return 1
	}
	t.Fatalf("no value for {%s:%s}: say one here", name, kind)
	return nil
}

// asked are the tables that go beside a statement.
var asked = map[string]proto.Input{
	"event_posts":  {{Name: "post_id", Data: proto.ColInt64{1, 2}}},
	"event_blocks": {{Name: "user_id", Data: proto.ColInt64{1, 2}}, {Name: "other_id", Data: proto.ColInt64{2, 1}}},
	"event_copies": {{Name: "user_id", Data: proto.ColInt64{1}}, {Name: "event_id", Data: proto.ColUUID{{1}}}},
	"keys_texts":   {{Name: "id", Data: proto.ColInt64{1, 2}}},
	"event_states": {{Name: "user_id", Data: proto.ColInt64{1, 2}}, {Name: "post_id", Data: proto.ColInt64{2, 1}}},
}

func TestEveryStatementRunsOnTheServer(t *testing.T) {
	s := stack.New(t)
	files, err := fs.Glob(sql.Files(), "clickhouse/queries/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".sql")
		t.Run(name, func(t *testing.T) {
			text, params := sql.ClickHouse(name), map[string]any{}
			for _, m := range parameter.FindAllStringSubmatch(text, -1) {
				params[m[1]] = value(t, s.ClickHouse.Database(), m[1], strings.TrimSpace(m[2]))
			}
			for _, shared := range []string{"likes_from", "comments_from"} { // of a view, which the text does not show
				if strings.HasSuffix(name, "_cdc") {
					params[shared] = "cdc"
				}
			}
			var line proto.ColStr
			q := ch.Query{
				Body: text, Parameters: clickhouse.Params(params),
				ExternalTable: "asked", ExternalData: asked[name],
			}
			if statement := strings.TrimSpace(comment.ReplaceAllString(text, "")); strings.HasPrefix(statement,
				"SELECT") || strings.HasPrefix(statement, "WITH") {
				// its columns are of every type
				q.Body = "SELECT toString(tuple(*)) AS line FROM (" + strings.TrimRight(text, "; \n") + "\n)"
				q.Result = proto.Results{{Name: "line", Data: &line}}
				q.OnResult = func(context.Context, proto.Block) error { return nil }
			} else if strings.HasPrefix(statement, "KILL") {
				var killed proto.Results
				q.Result = killed.Auto()
			}
			require.NoError(t, s.ClickHouse.Write(t.Context(), clickhouse.Query{Name: "test", Query: q}))
		})
	}
}

func TestOddKeysAndTopicsComeBackAsTheyWere(t *testing.T) {
	s := stack.New(t)
	insert := func(table string, in proto.Input) {
		t.Helper()
		require.NoError(t, s.ClickHouse.Write(t.Context(),
			clickhouse.Query{Name: "test", Query: ch.Query{Body: in.Into(table), Input: in}}))
	}
	var keys proto.ColStr
	var ids proto.ColInt64
	var versions proto.ColUInt64
	for i, text := range odd {
		keys.Append(text)
		ids.Append(int64(i + 1))
		versions.Append(256)
	}
	insert("likes", proto.Input{
		{Name: "row_key", Data: &keys},
		{Name: "user_id", Data: &ids},
		{Name: "version", Data: &versions},
	})

	all := func(name, column string, params map[string]any) (found []string) {
		t.Helper()
		var results proto.Results
		require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
			Body: fmt.Sprintf("SELECT %s AS text FROM (%s) ORDER BY text", column,
				strings.TrimRight(sql.ClickHouse(name), "; \n")),
			Parameters: clickhouse.Params(params), Result: results.Auto(),
			OnResult: func(context.Context, proto.Block) error {
				texts, ok := results[0].Data.(*proto.ColStr)
				require.True(t, ok)
				for i := range texts.Rows() {
					found = append(found, texts.Row(i))
				}
				return nil
			},
		}}))
		return found
	}
	require.ElementsMatch(t, odd, all("cdc_stored_likes", "row_key", map[string]any{"keys": odd}))
	for _, one := range odd {
		require.Equal(t, []string{one}, all("cdc_stored_likes", "row_key", map[string]any{"keys": []string{one}}))
	}

	for i, topic := range odd {
		var name, id proto.ColStr
		var epoch proto.ColUInt16
		name.Append(topic)
		id.Append(topic)
		epoch.Append(uint16(i + 1))
		insert("cdc_epochs", proto.Input{
			{Name: "topic", Data: &name},
			{Name: "epoch", Data: &epoch},
			{Name: "topic_id", Data: &id},
		})
	}
	for _, topic := range odd {
		require.Equal(t, []string{topic}, all("cdc_epochs", "topic_id", map[string]any{"topic": topic}))
	}
}
