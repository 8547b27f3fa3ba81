package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/openapi"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// object is a piece of the document.
type object = map[string]any

// document is the OpenAPI document with its schemas compiled.
type document struct {
	t       testing.TB
	root    object
	compile *jsonschema.Compiler
	schemas map[string]*jsonschema.Schema
}

func newDocument(t testing.TB) *document {
	t.Helper()
	text, err := openapi.JSON()
	require.NoError(t, err)
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("openapi.json", parsed))
	var root object
	require.NoError(t, json.Unmarshal(text, &root))
	return &document{t: t, root: root, compile: c, schemas: map[string]*jsonschema.Schema{}}
}

// follow replaces a reference by what it refers to, and gives its place.
func (d *document) follow(node object, place string) (object, string) {
	ref, ok := node["$ref"].(string)
	if !ok {
		return node, place
	}
	at := d.root
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		at, _ = at[name].(object)
		require.NotNil(d.t, at, ref)
	}
	return at, ref
}

func (d *document) schema(place string) *jsonschema.Schema {
	if d.schemas[place] == nil {
		schema, err := d.compile.Compile("openapi.json" + place)
		require.NoError(d.t, err)
		d.schemas[place] = schema
	}
	return d.schemas[place]
}

// operation is one call of the document.
type operation struct {
	method, path, place string
	node                object
}

func (d *document) operations() (all []operation) {
	for path, methods := range d.root["paths"].(object) {
		for method, node := range methods.(object) {
			all = append(all, operation{
				method: strings.ToUpper(method), path: path, node: node.(object),
				place: "#/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path) + "/" + method,
			})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.place, b.place) })
	return all
}

// check tells whether an answer is as the document says.
func (d *document) check(op operation, status int, contentType string, body []byte) error {
	responses := op.node["responses"].(object)
	name := strconv.Itoa(status)
	if _, ok := responses[name]; !ok {
		if status < 400 {
			return fmt.Errorf("status %d is not documented", status)
		}
		name = "default"
	}
	response, place := d.follow(responses[name].(object), op.place+"/responses/"+name)
	content, _ := response["content"].(object)
	if content == nil {
		if len(body) > 0 {
			return fmt.Errorf("a body where none is documented: %s", body)
		}
		return nil
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	described, ok := content[mediaType].(object)
	if !ok {
		return fmt.Errorf("content type %q is not documented for %s", contentType, name)
	}
	if described["schema"] == nil {
		return nil
	}
	schema := d.schema(place + "/content/" + strings.ReplaceAll(mediaType, "/", "~1") + "/schema")
	values := [][]byte{body}
	if mediaType == "application/x-ndjson" { // the schema says what each line is
		values = bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	}
	for _, text := range values {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return err
		}
		if err := schema.Validate(value); err != nil {
			return err
		}
	}
	return nil
}

func TestTheDocumentIsOpenAPI31AndNamesEveryRoute(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	running, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	defer func() { require.NoError(t, running.Stop()) }()

	d := newDocument(t)
	require.Equal(t, "3.1.0", d.root["openapi"])
	var routes, documented []string
	for _, r := range running.Routes() {
		if r.Access == httpserver.Debug || r.Access == httpserver.Console {
			continue // profiles and pages are for people
		}
		if r.Access == httpserver.User {
			require.NotContains(t, r.Path, ":user", "whom a call is for is in the token alone")
		}
		if r.What != "" {
			require.Contains(t, httpserver.Operations, r.What)
		}
		parts := strings.Split(r.Path, "/")
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				parts[i] = "{" + name + "}"
			}
		}
		routes = append(routes, r.Method+" "+strings.Join(parts, "/"))
	}
	ids := map[any]bool{}
	for _, op := range d.operations() {
		documented = append(documented, op.method+" "+op.path)
		require.False(t, ids[op.node["operationId"]], "each operation has an id of its own")
		ids[op.node["operationId"]] = true
		for name := range op.node["responses"].(object) {
			response, place := d.follow(op.node["responses"].(object)[name].(object), op.place+"/responses/"+name)
			content, _ := response["content"].(object)
			for mediaType, media := range content {
				if media.(object)["schema"] != nil {
					d.schema(place + "/content/" + strings.ReplaceAll(mediaType, "/", "~1") + "/schema")
				}
			}
		}
	}
	require.ElementsMatch(t, routes, documented)
	schemas := d.root["components"].(object)["schemas"].(object)
	recorded := schemas["Action"].(object)["properties"].(object)
	require.ElementsMatch(t, httpserver.Operations, recorded["what"].(object)["enum"])
}

// generator makes requests from the document: most as it wants them, some not.
type generator struct {
	*rand.Rand
	d      *document
	tokens []string // of a user, the admin scope, a service, and some that do not hold
	seen   []string // cursors, sessions and ids that answers gave
}

// nasty are strings that break programs which are not careful.
var nasty = []string{
	"", "0", "-1", "9223372036854775808", "99999999999999999999999", "1e308", "NaN", "null", "\x00", "' OR 1=1 --",
	"'; DROP TABLE posts; --",
	"1) UNION SELECT 1", "{}", "[]", "../../etc/passwd", "%00", "\u202e\U0001f4a9", "\xff\xfe", "${jndi:ldap://x}",
	strings.Repeat("A", 5000),
}

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// value is one that fits a schema, or once in a while one that does not.
func (g *generator) value(schema object) any {
	if g.IntN(12) == 0 {
		return pick(g, []any{nil, -1, 1e300, true, object{}, []any{}, pick(g, nasty), pick(g, nasty)})
	}
	schema, _ = g.d.follow(schema, "")
	if choices, ok := schema["enum"].([]any); ok {
		return pick(g, choices)
	}
	switch schema["type"] {
	case "integer", "number":
		least, most := 0.0, 1000.0
		if x, ok := schema["minimum"].(float64); ok {
			least = x
		}
		if x, ok := schema["maximum"].(float64); ok {
			most = x
		}
		return int64(least) + g.Int64N(int64(most-least)+2) - 1/max(1, g.Int64N(20)+1)
	case "boolean":
		return g.IntN(2) == 0
	case "array":
		out := []any{}
		for range g.IntN(4) {
			items, _ := schema["items"].(object)
			out = append(out, g.value(items))
		}
		return out
	case "object":
		out := object{}
		properties, _ := schema["properties"].(object)
		required, _ := schema["required"].([]any)
		for name, property := range properties {
			if slices.Contains(required, any(name)) || g.IntN(2) == 0 {
				out[name] = g.value(property.(object))
			}
		}
		return out
	}
	switch schema["format"] {
	case "uuid":
		return uuid.NewString()
	case "date-time":
		return time.Now().UTC().Add(-time.Duration(g.IntN(3600)) * time.Second).Format(time.RFC3339)
	case "date":
		return time.Now().UTC().AddDate(0, 0, -g.IntN(40)).Format(time.DateOnly)
	}
	if _, id := schema["pattern"]; id {
		return strconv.Itoa(1 + g.IntN(60))
	}
	if len(g.seen) > 0 && g.IntN(3) > 0 {
		return pick(g, g.seen)
	}
	return pick(g, nasty)
}

func (g *generator) request(ctx context.Context, op operation, base string) (*http.Request, error) {
	path, query, headers := op.path, url.Values{}, http.Header{}
	parameters, _ := op.node["parameters"].([]any)
	for _, p := range parameters {
		parameter, _ := g.d.follow(p.(object), "")
		required, _ := parameter["required"].(bool)
		if !required && g.IntN(2) == 0 {
			continue
		}
		name, value := parameter["name"].(string), fmt.Sprint(g.value(parameter["schema"].(object)))
		switch parameter["in"] {
		case "path":
			path = strings.Replace(path, "{"+name+"}", url.PathEscape(value), 1)
		case "query":
			query.Add(name, value)
		case "header":
			if g.IntN(4) == 0 && !strings.ContainsAny(value, "\x00\r\n") {
				headers.Set(name, value)
			}
		}
	}
	if g.IntN(25) == 0 {
		query.Add(pick(g, append(nasty, "user", "user_id", "limit")), pick(g, nasty))
	}
	var body []byte
	if request, ok := op.node["requestBody"].(object); ok {
		schema := request["content"].(object)["application/json"].(object)["schema"].(object)
		body, _ = json.Marshal(g.value(schema))
		switch g.IntN(20) {
		case 0:
			body = body[:g.IntN(len(body)+1)]
		case 1:
			body = []byte(strings.Repeat("[", 100_000))
		case 2:
			body = []byte(`{"events":` + strings.Repeat(`{"a":`, 20_000))
		}
	}
	r, err := http.NewRequestWithContext(ctx, op.method, base+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = headers
	r.Header.Set("Content-Type", "application/json")
	if g.IntN(30) == 0 {
		r.Header.Set("Content-Encoding", pick(g, []string{"gzip", "br", "identity"}))
	}
	token := g.tokens[0]
	if tags := op.node["tags"].([]any); tags[0] == "operators" {
		token = g.tokens[1]
	}
	if headers.Get("Act-As") != "" {
		token = g.tokens[2]
	}
	if g.IntN(12) == 0 {
		token = pick(g, g.tokens)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return r, nil
}

// remember keeps words of an answer: they are cursors, sessions and ids.
func (g *generator) remember(body []byte) {
	for _, word := range strings.FieldsFunc(string(body),
		func(r rune) bool { return strings.ContainsRune(`{}[]",`, r) }) {
		if len(word) > 8 && len(word) < 200 && g.IntN(20) == 0 {
			g.seen = append(g.seen, word)
		}
	}
	if len(g.seen) > 200 {
		g.seen = g.seen[len(g.seen)-200:]
	}
}

// TestNoRequestBreaksTheAPI sends FEEDRANK_TEST_REQUESTS requests (10,000 by default) that are made from
// the document.
func TestNoRequestBreaksTheAPI(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.RateLimit.UserPerMinute = 0 // one user sends them all
	populate(t, s)
	p := start(t, cfg)
	requests := 10_000
	if text := os.Getenv("FEEDRANK_TEST_REQUESTS"); text != "" {
		var err error
		requests, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	sign := func(user string, err error) string {
		require.NoError(t, err)
		return user
	}
	now := time.Now()
	user := sign(auth.Sign(cfg.Auth, 1, false, time.Hour, now))
	g := &generator{Rand: rand.New(rand.NewPCG(1, 2)), d: newDocument(t), tokens: []string{
		user, sign(auth.Sign(cfg.Auth, 1, true, time.Hour, now)),
		sign(auth.SignService(cfg.Auth, "mailer", time.Hour, now)),
		"", user[:len(user)-3], sign(auth.Sign(cfg.Auth, 1, true, -time.Hour, now)),
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", strings.Repeat("a", 9000),
	}}
	operations := slices.DeleteFunc(g.d.operations(), func(op operation) bool {
		return op.node["operationId"] == "updates" // its answer has no end
	})
	users := slices.DeleteFunc(slices.Clone(operations),
		func(op operation) bool { return op.node["tags"].([]any)[0] != "users" })
	wait.Until(t, func() bool { // the first computation meets servers that have done nothing yet
		status, _ := p.as(g.tokens[1], http.MethodGet, "/admin/v1/why-not?user=13&post=52", "")
		return status == http.StatusOK
	})
	statuses := map[int]int{}
	began := time.Now()
	for n := range requests {
		op := pick(g, users)
		if g.IntN(5) == 0 {
			op = pick(g, operations)
		}
		request, err := g.request(t.Context(), op, p.url)
		require.NoError(t, err)
		response, err := p.client.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		statuses[response.StatusCode]++
		told := fmt.Sprintf("request %d: %s %s: %d %.500s", n, request.Method, request.URL, response.StatusCode, body)
		require.Less(t, response.StatusCode, 500, told)
		if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusMethodNotAllowed ||
			response.StatusCode == http.StatusMovedPermanently {
			continue // a made-up path parameter may make another path
		}
		require.NoError(t, g.d.check(op, response.StatusCode, response.Header.Get("Content-Type"), body), told)
		g.remember(body)
		if op.node["operationId"] == "force" { // what a forced breaker does is another test's business
			for _, dependency := range []string{"clickhouse", "discovery", "postgres", "redis"} {
				status, _ := p.as(g.tokens[1], http.MethodPut, "/admin/v1/breaker/"+dependency, `{"mode":"auto"}`)
				require.Equal(t, http.StatusOK, status)
			}
		}
		if op.node["operationId"] == "forceBreakers" {
			for _, dependency := range []string{"clickhouse", "discovery", "postgres", "redis", "kafka"} {
				status, _ := p.as(g.tokens[1], http.MethodPut, "/admin/v1/replicas/breaker/"+dependency, `{"mode":"auto"}`)
				require.Equal(t, http.StatusOK, status)
			}
		}
	}
	t.Logf("%d requests in %s: %v", requests, time.Since(began).Round(time.Millisecond), statuses)
	require.Greater(t, statuses[200], requests/5, "many of them were as they must be")
	require.Greater(t, statuses[202], requests/50)
	require.Greater(t, statuses[400], requests/20)
}

// as calls with a token.
func (p *program) as(token, method, path, body string) (int, []byte) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, p.url+path, strings.NewReader(body))
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	return response.StatusCode, text
}

// populate gives the app some people and posts.
func populate(t *testing.T, s *stack.Stack) {
	t.Helper()
	for _, statement := range []string{
		`INSERT INTO users (id, name) SELECT i, 'u' || i FROM generate_series(1, 30) i`,
		`INSERT INTO posts (id, author_id, body) SELECT i, 1 + i % 30, 'p' FROM generate_series(1, 60) i`,
		`INSERT INTO follows (follower_id, followee_id) SELECT 1, i FROM generate_series(2, 20) i`,
	} {
		_, err := s.Postgres.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
}
