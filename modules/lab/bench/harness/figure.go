package harness

import "strconv"

// Figure is one row of the table.
type Figure struct {
	Name     string   `json:"name"`
	Unit     string   `json:"unit"`
	Required *float64 `json:"required,omitempty"`
	Aim      *float64 `json:"aim,omitempty"`
	AtLeast  bool     `json:"at_least,omitempty"` // the more the better
	Measured float64  `json:"measured"`
	Met      *bool    `json:"met,omitempty"` // the aim, or where there is none what is required
	Note     string   `json:"note,omitempty"`
}

// Figure states a figure that is to be no more than required and aim; a negative one is left out.
func (on *Environment) Figure(name, unit string, required, aim, measured float64) *Figure {
	return on.figure(Figure{Name: name, Unit: unit, Required: wanted(required), Aim: wanted(aim), Measured: measured})
}

// FigureAtLeast states a figure that is to be no less than required and aim.
func (on *Environment) FigureAtLeast(name, unit string, required, aim, measured float64) *Figure {
	return on.figure(Figure{
		Name: name, Unit: unit, Required: wanted(required), Aim: wanted(aim), Measured: measured,
		AtLeast: true,
	})
}

// Note states a figure that nothing was promised about.
func (on *Environment) Note(name, unit string, measured float64) {
	on.figure(Figure{Name: name, Unit: unit, Measured: measured})
}

func (on *Environment) figure(f Figure) *Figure {
	bound := f.Aim
	if bound == nil {
		bound = f.Required
	}
	if bound != nil {
		met := f.Measured <= *bound
		if f.AtLeast {
			met = f.Measured >= *bound
		}
		f.Met = &met
	}
	on.report.Figures = append(on.report.Figures, &f)
	return &f
}

// None stands for no bound.
const None = -1

func wanted(v float64) *float64 {
	if v == None {
		return nil
	}
	return &v
}

// Bound is what it is held against, in words.
func (f *Figure) Bound(v *float64) string {
	if v == nil {
		return ""
	}
	sign := "≤ "
	if f.AtLeast {
		sign = "≥ "
	}
	return sign + Short(*v)
}

// Verdict is met, missed, or nothing.
func (f *Figure) Verdict() string {
	switch {
	case f.Met == nil:
		return ""
	case *f.Met:
		return "met"
	default:
		return "missed"
	}
}

// Short writes three digits that matter.
func Short(v float64) string {
	switch {
	case v >= 100 || v == float64(int64(v)):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
}
