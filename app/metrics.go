package app

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
)

// Metric is one that a program of every role exposes.
type Metric struct {
	Name   string
	Labels []string
	Help   string
}

// Metrics lists what the modules of this configuration measure, by name. It composes them and starts nothing.
func Metrics(cfg config.Config) ([]Metric, error) {
	cfg.Feed.CursorSecrets = []string{strings.Repeat("-", 32)} // nothing is signed
	var registry *prometheus.Registry
	var pool *pgxpool.Pool // the one client that does something before it is started
	program := fx.New(composition(cfg, zap.NewNop()), fx.Populate(&registry, &pool))
	if err := program.Err(); err != nil {
		return nil, fmt.Errorf("compose the modules: %w", err)
	}
	pool.Close()
	descriptions := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(descriptions)
		close(descriptions)
	}()
	var found []Metric
	for d := range descriptions {
		m, err := metricOf(d.String())
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(m.Name, "feedrank_") {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(found, func(a, b Metric) bool { return a.Name == b.Name }), nil
}

// description is how the client library writes one: it has no accessors.
var description = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)", .*constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}\}$`)

// constant is the value of a label that is always the same.
var constant = regexp.MustCompile(`="[^"]*"`)

func metricOf(text string) (Metric, error) {
	parts := description.FindStringSubmatch(text)
	if parts == nil {
		return Metric{}, fmt.Errorf("metrics: cannot read %s", text)
	}
	return Metric{
		Name: parts[1], Help: strings.ReplaceAll(parts[2], `\"`, `"`),
		Labels: strings.FieldsFunc(constant.ReplaceAllString(parts[3], "")+","+parts[4],
			func(r rune) bool { return r == ',' || r == ' ' }),
	}, nil
}
