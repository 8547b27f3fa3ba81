package config

import (
	"reflect"
	"strings"
	"time"
)

// key is one setting: where it is in the file, and where in the struct.
type key struct {
	path     string // such as "kafka.brokers"
	value    reflect.Value
	validate string // its validate tag
	secret   bool
}

// keysOf walks the struct and lists every setting, in the order of the fields. A field that is not a
// struct is a setting; a map or a list of structs is one setting as a whole.
func keysOf(cfg *Config) []key {
	var keys []key
	walk(reflect.ValueOf(cfg).Elem(), "", &keys)
	return keys
}

func walk(v reflect.Value, prefix string, keys *[]key) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := field.Tag.Get("koanf")
		if name == "" || name == "-" {
			continue
		}
		path := prefix + name
		if isGroup(field.Type) {
			walk(v.Field(i), path+".", keys)
			continue
		}
		*keys = append(*keys, key{
			path: path, value: v.Field(i), validate: field.Tag.Get("validate"),
			secret: field.Tag.Get("secret") == "true",
		})
	}
}

func isGroup(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
}

// nearest finds the known key that was probably meant; empty where none is near.
func nearest(path string, keys []key) string {
	best, least := "", 1+len(path)/3
	for _, k := range keys {
		if d := distance(path, k.path); d < least {
			best, least = k.path, d
		}
	}
	if best == "" { // the right name in the wrong place
		last := path[strings.LastIndex(path, ".")+1:]
		for _, k := range keys {
			if strings.HasSuffix(k.path, "."+last) {
				return k.path
			}
		}
	}
	return best
}

// distance is Levenshtein's: how many letters to insert, delete or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
