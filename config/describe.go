package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// show is a value as it may be printed.
func show(value any, secret bool) string {
	text := fmt.Sprintf("%v", value)
	switch {
	case text == "":
		return `""`
	case secret:
		return "(secret)"
	case len(text) > 80:
		return text[:80] + "…"
	}
	return text
}

// describe says in words what a validate tag allows.
func describe(tag string) string {
	var words []string
	least, most := "", ""
	for _, rule := range strings.Split(tag, ",") {
		name, param, _ := strings.Cut(rule, "=")
		switch name {
		case "gte":
			least = param
		case "lte":
			most = param
		case "gt":
			words = append(words, "more than "+param)
		case "lt":
			words = append(words, "less than "+param)
		case "min":
			words = append(words, "at least "+param+" characters or entries")
		case "max":
			words = append(words, "at most "+param+" characters or entries")
		case "oneof":
			words = append(words, "one of: "+strings.Join(strings.Fields(param), ", "))
		case "required":
			words = append(words, "a value")
		case "required_with":
			words = append(words, "a value, because "+strings.ToLower(param)+" is set")
		case "cidr":
			words = append(words, "networks such as 10.0.0.0/8")
		case "nefield":
			words = append(words, "another value than "+strings.ToLower(param))
		case "listen_addr":
			words = append(words, "host:port, or :port for every interface; port 0 takes a free one")
		case "hostname_port":
			words = append(words, "host:port with a port from 1 to 65535, an IPv6 address in brackets")
		case "url":
			words = append(words, "a URL")
		case "identifier":
			words = append(words, "a name of letters, digits and underscores")
		case "header":
			words = append(words, "names of headers such as traceparent")
		case "topic":
			words = append(words, "letters, digits, dots, dashes and underscores")
		case "postgres_dsn":
			words = append(words, "postgres://user:password@host:port/database")
		case "omitempty", "dive", "":
		default:
			words = append(words, rule)
		}
	}
	switch {
	case least != "" && most != "":
		words = append(words, "from "+least+" to "+most)
	case least != "":
		words = append(words, "at least "+least)
	case most != "":
		words = append(words, "at most "+most)
	}
	return strings.Join(words, ", ")
}

func describeType(t reflect.Type) string {
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration with a unit, such as 500ms, 30s or 24h"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number that is not negative"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a group of keys"
	default:
		return "text"
	}
}

// detail adds what the decoder says where the type alone does not explain it.
func detail(err error) string {
	if errors.Is(err, errQuote) {
		return `: quote it ("…"), for YAML reads it as a number, a date, true or false`
	}
	text := err.Error()
	if i := strings.Index(text, "invalid keys:"); i >= 0 {
		return " (" + strings.TrimSpace(text[i:]) + ")"
	}
	return ""
}
