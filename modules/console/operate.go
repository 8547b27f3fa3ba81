package console

import (
	"net/http"
	"net/url"

	"github.com/feedrank/feedrank/modules/console/session"
)

// operation is something that an operator can have done, with what to ask before.
type operation struct {
	method, path string
	body         any
	ask          confirmation
	done         string
}

// operate forces breakers, and has jobs and audits run.
func (c *Console) operate(v *visit) error {
	const here = session.Path + "/operations"
	op, known := operationOf(v)
	if !known {
		return v.done(here, "Nothing was done: there is no such action.")
	}
	op.ask.Back = here
	if !v.confirmed() {
		return v.confirm("Operations", "operations", op.ask)
	}
	if err := v.ask(op.method, op.path, nil, op.body, nil); err != nil {
		return v.confirm("Operations", "operations", confirmation{
			Back: here, Problem: v.explain("It was not done", err),
		})
	}
	return v.done(here, "%s", op.done)
}

func operationOf(v *visit) (operation, bool) {
	name := v.FormValue("name")
	named := url.PathEscape(name)
	switch v.FormValue("do") {
	case "audit":
		return operation{
			method: http.MethodPost, path: "/admin/v1/audit/run", done: "An audit has begun.",
			ask: confirmation{
				Question: "Recount the events now?", Yes: "Begin an audit",
				Means: []string{"It compares the raw events of the last day with every sum, in the background, and has what is wrong put right. ClickHouse has more to do meanwhile."},
			},
		}, true
	case "job":
		return operation{
			method: http.MethodPost, path: "/admin/v1/jobs/" + named + "/run", done: "Job " + name + " was asked for; it begins within seconds.",
			ask: confirmation{
				Question: "Run the job " + name + " now?", Yes: "Run it",
				Means: []string{"The replica that leads runs it beside its schedule, or after the run that is going on."},
			},
		}, true
	case "breaker":
		return breakerOperation(name, named, v.FormValue("mode"))
	}
	return operation{}, false
}

// breakerOperation forces or releases the breakers of a dependency in every replica.
func breakerOperation(name, named, mode string) (operation, bool) {
	op := operation{
		method: http.MethodPut, path: "/admin/v1/replicas/breaker/" + named, body: map[string]string{"mode": mode},
	}
	switch mode {
	case "open":
		op.done = name + " is not asked any more by any replica, until you release it. That takes a second."
		op.ask = confirmation{
			Question: "Stop asking " + name + "?", Yes: "Force open", Danger: true,
			Means: []string{
				"Every replica answers without " + name + ", from what it has, until the breaker is released.",
				"Replicas that start later do the same.",
			},
		}
	case "auto":
		op.done = "The breakers of " + name + " decide by themselves again. That takes a second."
		op.ask = confirmation{
			Question: "Let the breakers of " + name + " decide by themselves again?", Yes: "Release",
			Means: []string{"Each opens while calls fail or are slow, and closes when a probe succeeds."},
		}
	case "reset":
		op.done = "The breakers of " + name + " are closed and have forgotten what they saw. That takes a second."
		op.ask = confirmation{
			Question: "Reset the breakers of " + name + "?", Yes: "Reset",
			Means: []string{"Each closes, forgets what it has seen, and is no longer forced."},
		}
	default:
		return operation{}, false
	}
	return op, true
}
