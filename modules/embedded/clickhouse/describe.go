//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"errors"
	"strings"
	"sync"
)

// typeCache remembers the columns of tables and of results, for as long as no schema changes.
type typeCache struct {
	mu      sync.Mutex
	entries map[string]described
}

// described is what was learnt about a statement's columns, and of which schema it holds.
type described struct {
	schema  uint64
	columns []column
}

// Bounds of the cache: how many statements, and how long each may be. Past the first it starts anew.
const (
	maxDescribed     = 1024
	maxDescribedText = 8 << 10
)

func (c *typeCache) get(key string, schema uint64) ([]column, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.entries[key]
	return d.columns, ok && d.schema == schema
}

func (c *typeCache) put(key string, schema uint64, columns []column) {
	if len(key) > maxDescribedText {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxDescribed {
		c.entries = make(map[string]described)
	}
	c.entries[key] = described{schema: schema, columns: columns}
}

// describe asks for the columns of what, a table or a statement in parentheses. The answer is remembered, except for a session
// with temporary tables, which may shadow others.
func (s *session) describe(what string, params []parameter, insertable bool) ([]column, error) {
	schema := s.engine.schema.Load()
	key := describeKey(s.database, what, params, insertable)
	if !s.private {
		if columns, ok := s.engine.types.get(key, schema); ok {
			return columns, nil
		}
	}
	r, err := s.exec("DESCRIBE TABLE "+what, "TSV", params)
	if err != nil {
		return nil, err
	}
	defer r.free()
	var columns []column
	for line := range strings.Lines(string(r.bytes())) {
		// name, type, kind of default, default, comment, codec, TTL
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) < 3 {
			return nil, errors.New("the engine described a column without a type")
		}
		if insertable && (fields[2] == "MATERIALIZED" || fields[2] == "ALIAS") {
			continue
		}
		columns = append(columns, column{name: unescapeTSV(fields[0]), typeName: unescapeTSV(fields[1])})
	}
	if !s.private {
		s.engine.types.put(key, schema, columns)
	}
	return columns, nil
}

func describeKey(database, what string, params []parameter, insertable bool) string {
	var b strings.Builder
	b.WriteString(database)
	b.WriteByte(0)
	if insertable {
		b.WriteByte(1)
	}
	b.WriteString(what)
	if strings.Contains(what, "Identifier") {
		// Such a parameter names a table or a column; others do not change the types.
		for _, p := range params {
			b.WriteByte(0)
			b.WriteString(p.name + "=" + p.value)
		}
	}
	return b.String()
}

// insertColumns are the columns that an INSERT expects, in its order. Those that do not exist are left out: starting the
// insert makes the engine say so in its own words.
func (s *session) insertColumns(st statement, params []parameter) ([]column, error) {
	names, plain := splitColumns(st.columns)
	if !plain {
		return s.describe("(SELECT "+st.columns+" FROM "+st.target+")", params, false)
	}
	all, err := s.describe(st.target, params, len(names) == 0)
	if err != nil || len(names) == 0 {
		return all, err
	}
	byName := make(map[string]column, len(all))
	for _, c := range all {
		byName[c.name] = c
	}
	columns := make([]column, 0, len(names))
	for _, name := range names {
		if c, ok := byName[name]; ok {
			columns = append(columns, c)
		}
	}
	return columns, nil
}
