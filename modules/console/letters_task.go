package console

import (
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/console/views"
)

// letterTask is a replay or a discard of all that match, which the server carries out.
type letterTask struct {
	ID          string     `json:"id"`
	Queue       string     `json:"queue"`
	Action      string     `json:"action"` // replayed or discarded
	RequestedAt time.Time  `json:"requested_at"`
	StartedAt   *time.Time `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at"`
	letterOutcome
	Error string `json:"error"`
}

// Took is how long it took, or how long it has been under way.
func (t letterTask) Took(now time.Time) time.Duration {
	switch {
	case t.StartedAt == nil:
		return 0
	case t.FinishedAt != nil:
		now = *t.FinishedAt
	}
	return now.Sub(*t.StartedAt).Round(100 * time.Millisecond)
}

// State is where it is, in a word.
func (t letterTask) State() string {
	switch {
	case t.Error != "":
		return "ended early"
	case t.FinishedAt != nil:
		return "done"
	case t.StartedAt != nil:
		return "under way"
	}
	return "waiting"
}

// Class is the colour of its state.
func (t letterTask) Class() string {
	switch {
	case t.Error != "":
		return "failed"
	case t.FinishedAt != nil:
		return "well"
	}
	return "accent"
}

// letterTaskView is one of them, with its progress.
type letterTaskView struct {
	ID      string
	Task    *letterTask
	Took    string
	Problem *views.Problem
}

func (v *visit) letterTasks() ([]letterTask, error) {
	var answer struct {
		Items []letterTask `json:"items"`
	}
	err := v.get("/admin/v1/dead-letters/orders", nil, &answer)
	return answer.Items, err
}

func (c *Console) letterTask(v *visit) error {
	view := letterTaskView{ID: v.QueryParam("id")}
	tasks, err := v.letterTasks()
	at := slices.IndexFunc(tasks, func(t letterTask) bool { return t.ID == view.ID })
	switch {
	case err != nil:
		view.Problem = v.explain("How far it came is not known", err)
	case at < 0:
		view.Problem = &views.Problem{What: "There is no such order", Do: "The last 50 are kept; the audit list has all."}
	default:
		view.Task = &tasks[at]
		view.Took = view.Task.Took(c.clock.Now()).String()
	}
	return v.show("lettertask", "Dead letters", "letters", view)
}
