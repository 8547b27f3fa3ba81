package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Replica is a running process of ours, by the address for operators.
type Replica struct {
	URL   string // such as http://10.0.0.7:9090
	Token string // of the scope admin-read; empty: what is open to anybody
}

const (
	replicaArea = "replica "
	mostAnswer  = 16 << 20
)

// Checks are what is looked at.
func (r Replica) Checks() []Check {
	area := replicaArea + r.URL
	return []Check{
		{area, "readiness", r.ready},
		{area, "metrics, and whether anybody collects them", r.metrics},
	}
}

func (r Replica) ready(ctx context.Context) ([]Finding, error) {
	body, status, err := r.get(ctx, "/readyz")
	if err != nil {
		return nil, err
	}
	var says struct {
		Status string            `json:"status"`
		Checks map[string]string `json:"checks"`
	}
	if err := json.Unmarshal(body, &says); err != nil {
		return nil, fmt.Errorf("/readyz answers %d with what is not ours: %w", status, err)
	}
	var found []Finding
	for name, state := range says.Checks {
		if state != "ok" {
			found = append(found, Finding{
				Broken, replicaArea + r.URL, fmt.Sprintf("%s: %s", name, state), "see its log and config/prometheus/runbook.md",
			})
		}
	}
	if status != http.StatusOK {
		found = append(found, Finding{
			Broken, replicaArea + r.URL, fmt.Sprintf("is not ready (%d, %s)", status, says.Status), "see its log",
		})
	}
	return found, nil
}

func (r Replica) metrics(ctx context.Context) ([]Finding, error) {
	body, status, err := r.get(ctx, "/metrics")
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return nil, fmt.Errorf("%w: /metrics answers %d", ErrNotAllowed, status)
	case status != http.StatusOK:
		return nil, fmt.Errorf("/metrics answers %d", status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	if err != nil {
		return nil, fmt.Errorf("/metrics: %w", err)
	}
	collected := families["promhttp_metric_handler_requests_total"]
	if collected == nil {
		return nil, errors.New("/metrics does not say how often it was asked")
	}
	asked := 0.0
	for _, m := range collected.GetMetric() {
		asked += m.GetCounter().GetValue()
	}
	if asked < 1 { // this request is counted after its answer
		return []Finding{{
			Advice, replicaArea + r.URL, "nobody has collected its metrics",
			"let Prometheus scrape /metrics (config/prometheus/prometheus.yml): without it no alert of ours can fire",
		}}, nil
	}
	return nil, nil
}

func (r Replica) get(ctx context.Context, path string) (body []byte, status int, err error) {
	address, err := url.JoinPath(r.URL, path)
	if err != nil {
		return nil, 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, 0, err
	}
	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	return body, answer.StatusCode, err
}
