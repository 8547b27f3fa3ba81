package console

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/console/views"
)

// operationsView is how the process and what it depends on are.
type operationsView struct {
	Roles            []string
	Started          time.Time
	Status           string
	Checks           []check
	ReadinessProblem *views.Problem
	Replicas         []replica
	ReplicasBy       sorting
	ReplicasProblem  *views.Problem
	Breakers         []breakersOf
	BreakersProblem  *views.Problem
	Jobs             []job
	JobsBy           sorting
	Leader           *leader
	JobsProblem      *views.Problem
	Audit            *audit
	AuditOK          bool
	AuditProblem     *views.Problem
}

type check struct {
	Name, Says string
	OK         bool
}

type leader struct {
	Holder  string    `json:"holder"`
	TakenAt time.Time `json:"taken_at"`
	Alive   bool      `json:"alive"`
}

type job struct {
	Name        string     `json:"name"`
	EveryMS     int64      `json:"every_ms"`
	RequestedAt *time.Time `json:"requested_at"`
	Runs        []run      `json:"runs"` // the latest first
}

type run struct {
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Outcome    string     `json:"outcome"`
	Detail     string     `json:"detail"`
}

// Last is the latest run; nil where there was none.
func (j job) Last() *run {
	if len(j.Runs) == 0 {
		return nil
	}
	return &j.Runs[0]
}

// last is the latest run, or an empty one.
func (j job) last() run {
	if latest := j.Last(); latest != nil {
		return *latest
	}
	return run{}
}

// Class is the colour of a run.
func (r run) Class() string {
	switch r.Outcome {
	case "ok":
		return "well"
	case "failed", "timeout":
		return "failed"
	case "lost", "stopped":
		return "late"
	}
	return ""
}

// Took is how long a run took; nothing while it runs.
func (r run) Took() string {
	if r.FinishedAt == nil {
		return ""
	}
	return r.took().Round(10 * time.Millisecond).String()
}

func (r run) took() time.Duration {
	if r.FinishedAt == nil {
		return 0
	}
	return r.FinishedAt.Sub(r.StartedAt)
}

type audit struct {
	Running bool  `json:"running"`
	OK      *bool `json:"ok"`
	Last    *struct {
		FinishedAt time.Time       `json:"finished_at"`
		Counts     json.RawMessage `json:"counts"`
		Repaired   uint64          `json:"repaired"`
		Error      string          `json:"error"`
	} `json:"last"`
}

func (c *Console) operations(v *visit) error {
	view := operationsView{Roles: c.process.Roles, Started: c.started}
	ready, err := c.health.Readiness(v.Request().Context())
	if err != nil {
		return err // the client is gone
	}
	view.Status = ready.Status
	for name, says := range ready.Checks {
		view.Checks = append(view.Checks, check{Name: name, Says: says, OK: says == "ok"})
	}
	slices.SortFunc(view.Checks, func(a, b check) int { return cmp.Compare(a.Name, b.Name) })

	view.Replicas, view.ReplicasProblem = v.replicas()
	view.ReplicasBy = sorted(v, "replicas", view.Replicas, columns[replica]{
		"where":   func(a, b replica) int { return cmp.Compare(a.Host, b.Host) },
		"state":   func(a, b replica) int { return a.SeenAt.Compare(b.SeenAt) },
		"version": func(a, b replica) int { return cmp.Compare(a.Version, b.Version) },
		"started": func(a, b replica) int { return a.StartedAt.Compare(b.StartedAt) },
	})
	view.Breakers, view.BreakersProblem = v.breakers(view.Replicas, view.ReplicasProblem == nil)

	var jobs struct {
		Items  []job   `json:"items"`
		Leader *leader `json:"leader"`
	}
	err = v.get("/admin/v1/jobs", url.Values{"runs": {"8"}}, &jobs)
	view.Jobs, view.Leader, view.JobsProblem = jobs.Items, jobs.Leader, v.explain("The jobs are not known", err)
	view.JobsBy = sorted(v, "jobs", view.Jobs, columns[job]{
		"job":   func(a, b job) int { return cmp.Compare(a.Name, b.Name) },
		"every": func(a, b job) int { return cmp.Compare(a.EveryMS, b.EveryMS) },
		"began": func(a, b job) int { return a.last().StartedAt.Compare(b.last().StartedAt) },
		"took":  func(a, b job) int { return cmp.Compare(a.last().took(), b.last().took()) },
	})

	report := &audit{}
	if err = v.get("/admin/v1/audit", nil, report); err == nil {
		view.Audit, view.AuditOK = report, report.OK != nil && *report.OK
	}
	view.AuditProblem = v.explain("The last audit is not known", err)
	return v.show("operations", "Operations", "operations", view)
}
