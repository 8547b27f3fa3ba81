package bench

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
func (on *Stage) Figure(name, unit string, required, aim, measured float64) *Figure {
	return on.figure(Figure{Name: name, Unit: unit, Required: wanted(required), Aim: wanted(aim), Measured: measured})
}

// FigureAtLeast states a figure that is to be no less than required and aim.
func (on *Stage) FigureAtLeast(name, unit string, required, aim, measured float64) *Figure {
	return on.figure(Figure{
		Name: name, Unit: unit, Required: wanted(required), Aim: wanted(aim), Measured: measured,
		AtLeast: true,
	})
}

// Note states a figure that nothing was promised about.
func (on *Stage) Note(name, unit string, measured float64) {
	on.figure(Figure{Name: name, Unit: unit, Measured: measured})
}

func (on *Stage) figure(f Figure) *Figure {
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

// none stands for no bound.
const none = -1

func wanted(v float64) *float64 {
	if v == none {
		return nil
	}
	return &v
}

func (f *Figure) bound(v *float64) string {
	if v == nil {
		return ""
	}
	sign := "≤ "
	if f.AtLeast {
		sign = "≥ "
	}
	return sign + short(*v)
}

func (f *Figure) verdict() string {
	switch {
	case f.Met == nil:
		return ""
	case *f.Met:
		return "met"
	default:
		return "missed"
	}
}

// short writes three digits that matter.
func short(v float64) string {
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
