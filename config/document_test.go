package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

var update = flag.Bool("update", false, "write feedrank.yaml anew")

// TestTheFileThatWeShipIsWrittenFromTheCode keeps feedrank.yaml, its comments and its defaults equal to
// the structs. After a change: go test ./config -update
func TestTheFileThatWeShipIsWrittenFromTheCode(t *testing.T) {
	d := document{comments: map[string]string{}}
	d.out.WriteString(preamble)
	d.group(reflect.ValueOf(config.Default()), "")
	if *update {
		require.NoError(t, os.WriteFile("feedrank.yaml", d.out.Bytes(), 0o600))
	}
	shipped, err := os.ReadFile("feedrank.yaml")
	require.NoError(t, err)
	require.Equal(t, d.out.String(), string(shipped), "run: go test ./config -update")
}

const preamble = `# feedrank: every setting, with its default. Copy what you change into a file of your own.
# Environment variables go over the file (FEEDRANK_KAFKA__BROKERS=a:9092,b:9092: two underscores for
# a level), flags over both (--set kafka.brokers=a:9092). A variable that ends in _FILE names a file
# that holds the value: FEEDRANK_POSTGRES__DSN_FILE=/run/secrets/dsn.
# This file is written from the code: go test ./config -update
`

// document writes the default configuration as YAML, with the comments of the structs' fields.
type document struct {
	out      bytes.Buffer
	comments map[string]string // by package path, type and field
}

func (d *document) group(v reflect.Value, indent string) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := field.Tag.Get("koanf")
		if name == "" || name == "-" {
			continue
		}
		comment := d.comment(v.Type(), field)
		if field.Type.Kind() == reflect.Struct {
			if indent == "" {
				d.out.WriteString("\n")
			}
			if comment == "" && indent == "" {
				comment = d.typeComment(field.Type)
			}
			fmt.Fprintf(&d.out, "%s%s:%s\n", indent, name, trailing(comment))
			d.group(v.Field(i), indent+"  ")
			continue
		}
		if indent == "" {
			d.out.WriteString("\n")
		}
		comment = strings.Join(slices.DeleteFunc([]string{comment, limits(field.Tag.Get("validate"))},
			func(s string) bool { return s == "" }), "; ")
		fmt.Fprintf(&d.out, "%s%s: %s%s\n", indent, name, flow(v.Field(i)), trailing(comment))
	}
}

func trailing(comment string) string {
	if comment == "" {
		return ""
	}
	return " # " + comment
}

var (
	lower = regexp.MustCompile(`gte=([^,]+)`)
	upper = regexp.MustCompile(`lte=([^,]+)`)
	oneOf = regexp.MustCompile(`oneof=([^,]+)`)
	least = regexp.MustCompile(`min=([0-9]+)`)
)

// limits are the bounds of a validate tag in a few words.
func limits(tag string) string {
	from, to, choice, length := lower.FindStringSubmatch(tag), upper.FindStringSubmatch(tag),
		oneOf.FindStringSubmatch(tag), least.FindStringSubmatch(tag)
	switch {
	case from != nil && to != nil:
		return from[1] + " to " + to[1]
	case from != nil:
		return "at least " + from[1]
	case choice != nil:
		return "one of: " + strings.Join(strings.Fields(choice[1]), ", ")
	case length != nil && length[1] != "1":
		return "at least " + length[1] + " characters"
	}
	return ""
}

// flow is a value on one line.
func flow(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); s == "" || strings.ContainsAny(s, ":#{}[],&*!|>'\"%@` ") {
			return fmt.Sprintf("%q", s)
		}
		return v.String()
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = flow(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Map:
		var items []string
		for _, k := range v.MapKeys() {
			items = append(items, k.String()+": "+flow(v.MapIndex(k)))
		}
		slices.Sort(items)
		return "{" + strings.Join(items, ", ") + "}"
	case reflect.Struct:
		var items []string
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("koanf"); name != "" && name != "-" && !v.Field(i).IsZero() {
				items = append(items, name+": "+flow(v.Field(i)))
			}
		}
		return "{" + strings.Join(items, ", ") + "}"
	default:
		if d, ok := v.Interface().(time.Duration); ok {
			return duration(d)
		}
		return fmt.Sprint(v.Interface())
	}
}

func duration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}

func (d *document) comment(t reflect.Type, field reflect.StructField) string {
	d.read(t.PkgPath())
	return d.comments[t.PkgPath()+"."+t.Name()+"."+field.Name]
}

func (d *document) typeComment(t reflect.Type) string {
	d.read(t.PkgPath())
	return d.comments[t.PkgPath()+"."+t.Name()]
}

// read collects the comments of a package's structs from its source.
func (d *document) read(pkg string) {
	if _, done := d.comments[pkg]; done {
		return
	}
	d.comments[pkg] = ""
	dir := filepath.Join("..", strings.TrimPrefix(pkg, "github.com/feedrank/feedrank/"))
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			declaration, ok := n.(*ast.GenDecl)
			if !ok {
				return true
			}
			for _, spec := range declaration.Specs {
				typed, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				fields, ok := typed.Type.(*ast.StructType)
				if !ok {
					continue
				}
				prefix := pkg + "." + typed.Name.Name
				d.comments[prefix] = sentence(strings.TrimPrefix(declaration.Doc.Text(), typed.Name.Name+" "))
				for _, f := range fields.Fields.List {
					text := sentence(f.Comment.Text() + " " + f.Doc.Text())
					for _, name := range f.Names {
						d.comments[prefix+"."+name.Name] = text
					}
				}
			}
			return true
		})
	}
}

// sentence is the first sentence of a comment, on one line.
func sentence(comment string) string {
	line := strings.Join(strings.Fields(comment), " ")
	if i := strings.Index(strings.ReplaceAll(line, "...", "---"), ". "); i >= 0 && !strings.HasPrefix(line, "...") {
		line = line[:i]
	}
	if !strings.HasSuffix(line, "...") {
		line = strings.TrimSuffix(line, ".")
	}
	return strings.TrimPrefix(line, "is ")
}
