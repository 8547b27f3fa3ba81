package console

import (
	"fmt"

	"github.com/feedrank/feedrank/modules/console/pipeline"
	"github.com/feedrank/feedrank/modules/console/views"
)

// pipelineView is the way to a feed, as a drawing and hop by hop.
type pipelineView struct {
	Status  *pipeline.Status
	Worst   pipeline.State
	Boxes   []box
	Lines   []line
	Problem *views.Problem
}

type box struct {
	Place pipeline.Place
	X, Y  int
}

// line is a hop in the drawing, with its rate and how late it is.
type line struct {
	Hop       pipeline.Hop
	Path, Tip string
	X, Y      int // of the text
	Rate, Lag string
}

// where the places stand in the drawing.
var where = map[string][2]int{
	"postgres": {10, 30}, "apps": {10, 160}, "kafka": {205, 95}, "clickhouse": {425, 95}, "hot": {650, 95},
	"redis": {850, 95}, "feed": {1046, 95},
}

func (c *Console) pipeline(v *visit) error {
	view := pipelineView{}
	ready, err := c.health.Readiness(v.Request().Context())
	if err != nil {
		return err // the client is gone
	}
	status, err := c.flow.Now(ready.Checks)
	if err != nil {
		view.Problem = v.explain("The metrics cannot be read", err)
		return v.show("pipeline", "Pipeline", "pipeline", view)
	}
	view.Status, view.Worst = &status, status.Worst()
	for _, p := range status.Places {
		at := where[p.ID]
		view.Boxes = append(view.Boxes, box{Place: p, X: at[0], Y: at[1]})
	}
	for _, h := range status.Hops {
		view.Lines = append(view.Lines, lineOf(h))
	}
	return v.show("pipeline", "Pipeline", "pipeline", view)
}

const boxWidth, boxMiddle = 104, 23

// lineOf draws a hop as a curve with a tip. The two between Kafka and ClickHouse go around each other.
func lineOf(h pipeline.Hop) line {
	from, to := where[h.From], where[h.To]
	x1, y1, x2, y2 := from[0]+boxWidth, from[1]+boxMiddle, to[0]-7, to[1]+boxMiddle
	out := line{Hop: h, X: (x1 + x2) / 2, Y: (y1+y2)/2 - 24}
	bend := 0
	switch h.ID {
	case "changes":
		bend, y1, y2, out.Y = -40, y1-10, y2-10, y1-76
	case "events":
		bend, y1, y2, out.Y = 40, y1+10, y2+10, y1+58
	case "changes-in":
		out.X, out.Y = out.X+24, y1-16
	case "events-in":
		out.X, out.Y = out.X+24, y1+16
	}
	half := (x2 - x1) / 2
	out.Path = fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, y1, x1+half, y1+bend, x2-half, y2+bend, x2, y2)
	out.Tip = fmt.Sprintf("M%d %d l-8 -5 v10 z", x2+7, y2)
	if len(h.Figures) > 1 {
		out.Rate, out.Lag = h.Figures[0].Value, h.Figures[1].Name+" "+h.Figures[1].Value
	}
	if h.State == pipeline.Absent && len(h.Figures) == 0 {
		out.Rate = "not here"
	}
	return out
}
