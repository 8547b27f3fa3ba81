package config

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"

	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// Checker is implemented by settings whose fields must fit each other. It gives, by the key below
// its own, what would be right.
type Checker interface {
	Check() map[string]string
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	header     = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$") // a token of RFC 9110
	topic      = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
)

func validate(cfg Config) []Problem {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string { return f.Tag.Get("koanf") })
	matches := func(r *regexp.Regexp) validator.Func {
		return func(l validator.FieldLevel) bool { return r.MatchString(l.Field().String()) }
	}
	// The names are constants and the functions are not nil: registering cannot fail.
	_ = v.RegisterValidation("identifier", matches(identifier))
	_ = v.RegisterValidation("header", matches(header))
	_ = v.RegisterValidation("topic", matches(topic))
	_ = v.RegisterValidation("listen_addr", func(l validator.FieldLevel) bool {
		_, port, err := net.SplitHostPort(l.Field().String())
		_, notNumber := strconv.ParseUint(port, 10, 16)
		return err == nil && notNumber == nil
	})
	_ = v.RegisterValidation("postgres_dsn", func(l validator.FieldLevel) bool {
		return postgres.CheckDSN(l.Field().String()) == nil
	})
	_ = v.RegisterValidation("hostname_port", func(l validator.FieldLevel) bool { return hostPort(l.Field().String()) })

	var problems []Problem
	keys := keysOf(&cfg)
	var failures validator.ValidationErrors
	if err := v.Struct(cfg); errors.As(err, &failures) {
		for _, failure := range failures {
			path := strings.TrimPrefix(failure.Namespace(), "Config.")
			problem := Problem{
				Key: path, Value: fmt.Sprintf("%v", failure.Value()),
				Want: "want " + describe(failure.Tag()+"="+failure.Param()),
			}
			for _, k := range keys {
				if path == k.path || strings.HasPrefix(path, k.path+"[") {
					whole, each, _ := strings.Cut(k.validate, "dive")
					if path != k.path { // one entry of a list: the rules behind dive are its own
						whole = each
					}
					problem.Value = show(failure.Value(), k.secret)
					problem.Want = "want " + describe(whole)
					if dsn, isText := failure.Value().(string); isText && failure.Tag() == "postgres_dsn" {
						problem.Want = "want " + postgres.CheckDSN(dsn).Error()
					}
				}
			}
			problems = append(problems, problem)
		}
	}
	return append(problems, checkEach(reflect.ValueOf(cfg), "")...)
}

func checkEach(v reflect.Value, prefix string) []Problem {
	var problems []Problem
	if checker, ok := v.Interface().(Checker); ok {
		for path, want := range checker.Check() {
			problems = append(problems, Problem{Key: prefix + path, Want: want})
		}
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if name := field.Tag.Get("koanf"); name != "" && name != "-" && isGroup(field.Type) {
			problems = append(problems, checkEach(v.Field(i), prefix+name+".")...)
		}
	}
	return problems
}
