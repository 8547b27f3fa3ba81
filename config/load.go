package config

import (
	"errors"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// Sources are where settings come from, the later over the earlier: the defaults, a file, the
// environment, flags.
type Sources struct {
	Under []string // key=value, beneath the file: defaults for a special occasion
	File  string   // YAML; empty: none
	Env   []string // as os.Environ gives it
	Set   []string // key=value, as from --set
}

// envPrefix begins every variable of ours; two underscores part the levels of a key.
const envPrefix = "FEEDRANK_"

// notSettings are variables with our prefix that are no settings.
var notSettings = []string{"FEEDRANK_CONFIG", "FEEDRANK_EMBEDDED_", "FEEDRANK_SERVERS_DIR", "FEEDRANK_TEST_"}

// Load reads and validates the configuration. The error is Problems and names every mistake; of a file
// that cannot be read, that alone.
func Load(s Sources) (Config, error) {
	cfg := Default()
	problems := &Problems{}
	merged := koanf.New(".")
	overlay(merged, fromFlags(s.Under, problems))
	if s.File != "" {
		if err := loadFile(merged, s.File); err != nil {
			return cfg, err
		}
	}
	overlay(merged, fromEnv(s.Env, keysOf(&cfg), problems))
	overlay(merged, fromFlags(s.Set, problems))
	assign(&cfg, merged, problems)
	*problems = append(*problems, validate(cfg)...)
	if len(*problems) > 0 {
		slices.SortStableFunc(*problems, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
		return cfg, *problems
	}
	return cfg.WithKeyForms(), nil
}

func loadFile(into *koanf.Koanf, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return Problems{{Key: "--config", Value: path, Want: "want a file that can be read: " + reasonOf(err)}}
	}
	if err := into.Load(rawbytes.Provider(text), yaml.Parser()); err != nil {
		return Problems{{Key: "--config", Value: path, Want: "want YAML: " + err.Error()}}
	}
	return nil
}

func overlay(into *koanf.Koanf, values map[string]any) {
	// A confmap of our own making cannot fail to load.
	_ = into.Load(confmap.Provider(values, "."), nil)
}

// fromEnv reads FEEDRANK_KAFKA__BROKERS as kafka.brokers. FEEDRANK_POSTGRES__DSN_FILE names a file
// that holds postgres.dsn, unless there is a setting of that name itself.
func fromEnv(env []string, keys []key, problems *Problems) map[string]any {
	values := map[string]any{}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.ContainsFunc(notSettings,
			func(p string) bool { return strings.HasPrefix(name, p) }) ||
			isLink(name, value) {
			continue
		}
		path := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, envPrefix), "__", "."))
		target, fromFile := strings.CutSuffix(path, "_file")
		if !fromFile || known(path, keys) {
			values[path] = value
			continue
		}
		text, err := os.ReadFile(value)
		if err != nil {
			*problems = append(*problems, Problem{
				Key: target, Value: name,
				Want: "a file that can be read: " + reasonOf(err),
			})
			continue
		}
		values[target] = strings.TrimRight(string(text), "\r\n")
	}
	return values
}

func reasonOf(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

func fromFlags(set []string, problems *Problems) map[string]any {
	values := map[string]any{}
	for _, entry := range set {
		path, value, ok := strings.Cut(entry, "=")
		if !ok || path == "" {
			*problems = append(*problems, Problem{
				Key: "--set", Value: entry,
				Want: "key=value, such as kafka.brokers=a:9092,b:9092",
			})
			continue
		}
		values[path] = value
	}
	return values
}

func known(path string, keys []key) bool {
	return slices.ContainsFunc(keys, func(k key) bool { return k.path == path })
}

// assign puts what was given into the struct and reports what does not fit or is not known.
func assign(cfg *Config, given *koanf.Koanf, problems *Problems) {
	keys := keysOf(cfg)
	for _, k := range keys {
		if !given.Exists(k.path) {
			continue
		}
		raw := given.Get(k.path)
		if err := decode(raw, k.value); err != nil {
			*problems = append(*problems, Problem{
				Key: k.path, Value: show(raw, k.secret),
				Want: "want " + describeType(k.value.Type()) + detail(err),
			})
		}
	}
	for _, path := range given.Keys() {
		if slices.ContainsFunc(keys, func(k key) bool {
			return path == k.path ||
				strings.HasPrefix(path, k.path+".")
		}) {
			continue
		}
		want := "unknown key"
		if meant := nearest(path, keys); meant != "" {
			want += "; did you mean " + meant + "?"
		}
		*problems = append(*problems, Problem{Key: path, Want: want})
	}
}

func decode(raw any, into reflect.Value) error {
	fresh := reflect.New(into.Type())
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: fresh.Interface(), TagName: "koanf", WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			sameType, mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(","),
		),
	})
	if err != nil {
		return err
	}
	if _, number := raw.(int); number && into.Type().String() == "time.Duration" {
		return errors.New("a number without a unit")
	}
	if err := decoder.Decode(raw); err != nil {
		return err
	}
	into.Set(fresh.Elem())
	if kind := into.Kind(); (kind == reflect.Slice || kind == reflect.Map) && into.Len() == 0 {
		into.SetZero() // an empty list is no list, as in the defaults
	}
	return nil
}

// errQuote is for text that YAML took for something else: 0123456 is 42798 to it.
var errQuote = errors.New("quote it")

// errWhole is for what would silently lose its fraction, or become 0 or 1.
var errWhole = errors.New("not a whole number")

// sameType refuses a value that would become another one on its way into a setting.
func sameType(from, to reflect.Value) (any, error) {
	text, number := to.Kind() == reflect.String, to.CanInt() || to.CanUint() || to.CanFloat()
	_, isTime := from.Interface().(time.Time)
	switch {
	case text && (isTime || from.CanInt() || from.CanUint() || from.CanFloat() || from.Kind() == reflect.Bool):
		return nil, errQuote
	case number && from.Kind() == reflect.Bool:
		return nil, errWhole
	case (to.CanInt() || to.CanUint()) && from.CanFloat() && from.Float() != math.Trunc(from.Float()):
		return nil, errWhole
	}
	return from.Interface(), nil
}
