package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Series are the numbers that a program shows at /metrics, by their names with labels.
type Series map[string]float64

// Metrics reads them.
func (p *Program) Metrics(ctx context.Context) (Series, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.AdminURL()+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("metrics of %s: %w", p.Name, err)
	}
	defer func() { _ = response.Body.Close() }() // read to its end, or given up
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("metrics of %s: %w", p.Name, err)
	}
	return ParseMetrics(string(text)), nil
}

// ParseMetrics takes the numbers out of what /metrics says.
func ParseMetrics(text string) Series {
	found := Series{}
	for line := range strings.Lines(text) {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64); err == nil { // +Inf is a number, too
			found[line[:at]] = n
		}
	}
	return found
}

// Sum adds up the series of a name whose labels have all of these pairs.
func (s Series) Sum(name string, pairs ...string) (sum float64) {
	for series, n := range s {
		labels, ok := strings.CutPrefix(series, name)
		if !ok || labels != "" && labels[0] != '{' {
			continue
		}
		has := true
		for _, pair := range pairs {
			has = has && strings.Contains(labels, pair)
		}
		if has {
			sum += n
		}
	}
	return sum
}
