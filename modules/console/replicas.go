package console

import (
	"time"

	"github.com/feedrank/feedrank/modules/console/views"
)

// replica is a process of the deployment.
type replica struct {
	ID        string    `json:"id"`
	Host      string    `json:"host"`
	Version   string    `json:"version"`
	Roles     []string  `json:"roles"`
	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"seen_at"`
	Breakers  []breaker `json:"breakers"`
	Alive     bool      `json:"alive"`
}

type breaker struct {
	Dependency string     `json:"dependency"`
	State      string     `json:"state"`
	Mode       string     `json:"mode"`
	Since      *time.Time `json:"since"`
	Reason     string     `json:"reason"`
	Calls      int        `json:"calls"`
	Failures   int        `json:"failures"`
	Limit      int        `json:"limit"`
	InFlight   int        `json:"in_flight"`
	Host       string     `json:"-"`
}

// Class is the colour of its state.
func (b breaker) Class() string {
	switch b.State {
	case "closed":
		return "well"
	case "open":
		return "failed"
	}
	return "late"
}

// breakersOf are those of one dependency, in every replica that has one.
type breakersOf struct {
	Dependency string
	Each       []breaker
}

// Forced tells whether an operator has a say in any of them.
func (b breakersOf) Forced() bool {
	for _, one := range b.Each {
		if one.Mode != "auto" {
			return true
		}
	}
	return false
}

func (v *visit) replicas() ([]replica, *views.Problem) {
	var answer struct {
		Items []replica `json:"items"`
	}
	err := v.get("/admin/v1/replicas", nil, &answer)
	return answer.Items, v.explain("The other replicas are not known", err)
}

// breakers are those of all replicas; those of this one where the others are not known.
func (v *visit) breakers(all []replica, known bool) ([]breakersOf, *views.Problem) {
	if !known {
		var here struct {
			Items []breaker `json:"items"`
		}
		if err := v.get("/admin/v1/breaker", nil, &here); err != nil {
			return nil, v.explain("The breakers are not known", err)
		}
		all = []replica{{Host: "this replica", Breakers: here.Items, Alive: true}}
	}
	var out []breakersOf
	at := map[string]int{}
	for _, r := range all {
		if !r.Alive {
			continue
		}
		for _, b := range r.Breakers {
			i, met := at[b.Dependency]
			if !met {
				i, at[b.Dependency] = len(out), len(out)
				out = append(out, breakersOf{Dependency: b.Dependency})
			}
			b.Host = r.Host
			out[i].Each = append(out[i].Each, b)
		}
	}
	return out, nil
}
