package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// A row of likes may say what it is worth (columns.value): a vote up or down, or a kind of reaction, of which values
// says how many likes or dislikes it is. What counts is what the row says now.

// maxValue is how many likes, or dislikes, one reaction may be.
const maxValue = 10

// Heaviest is how many likes one reaction may be.
func (c Config) Heaviest() int64 {
	heaviest := 1
	for _, value := range c.Like.Values {
		heaviest = max(heaviest, value)
	}
	if constant, err := valueOf(c.Like.Constants[fieldValue]); err == nil {
		heaviest = max(heaviest, int(constant))
	}
	return int64(heaviest)
}

// valueIn is what a row is worth. Of a number without a table of values its sign counts: a score is no weight. A null
// is a vote that was taken back.
func (s *Source) valueIn(after envelope.Row) (int8, error) {
	column := s.config.Columns[fieldValue]
	if column == "" || s.Kind != Like {
		return s.value, nil
	}
	if after.IsUnavailable(column) {
		return 0, envelope.Errorf(envelope.ReasonUnavailable, "column %s: the record does not tell it", column)
	}
	if after.Has(column) && after.IsNull(column) {
		return 0, nil
	}
	if len(s.config.Values) == 0 {
		n, err := after.Int(column)
		return int8(max(-1, min(1, n))), err
	}
	kind, err := after.Text(column)
	if err != nil {
		return 0, err
	}
	if value, named := s.config.Values[kind]; named {
		return int8(value), nil
	}
	return 1, nil
}

// valueOf reads a constant value.
func valueOf(text string) (int8, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < -maxValue || n > maxValue {
		return 0, fmt.Errorf("%q, want a whole number from %d to %d", text, -maxValue, maxValue)
	}
	return int8(n), nil
}

func (t Table) checkValues(k Kind, report func(key, format string, args ...any)) {
	switch {
	case len(t.Values) == 0:
		return
	case k != Like:
		report("values", "only likes have a value")
		return
	case t.Columns[fieldValue] == "":
		report("values", "of which column? Name it in columns.value")
	}
	for _, kind := range slices.Sorted(maps.Keys(t.Values)) {
		if value := t.Values[kind]; value < -maxValue || value > maxValue {
			report("values."+kind, "%d, want a whole number from %d to %d", value, -maxValue, maxValue)
		}
	}
}
