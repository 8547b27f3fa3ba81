package mapping

import (
	"slices"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

func all(conditions []Condition, row envelope.Row) (bool, error) {
	for _, c := range conditions {
		if ok, err := c.holds(row); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func anyOf(conditions []Condition, row envelope.Row) (bool, error) {
	for _, c := range conditions {
		if ok, err := c.holds(row); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (c Condition) holds(row envelope.Row) (bool, error) {
	if row.IsUnavailable(c.Column) {
		return false, envelope.Errorf(envelope.ReasonUnavailable,
			"column %s: a condition cannot be asked of a large value", c.Column)
	}
	text, err := row.Text(c.Column)
	if err != nil {
		return false, err
	}
	null := row.IsNull(c.Column)
	switch {
	case len(c.In) > 0:
		return !null && slices.Contains(c.In, text), nil
	case len(c.NotIn) > 0:
		return null || !slices.Contains(c.NotIn, text), nil
	case c.Is == "null":
		return null, nil
	case c.Is == "set", c.Is == "future": // until when, until says
		return !null, nil
	case c.Is == "past":
		return false, nil
	}
	flag, err := row.Bool(c.Column)
	return flag == (c.Is == "true"), err
}
