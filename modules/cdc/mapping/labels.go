package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/core"
)

// LabelRule gives posts labels. With Column a value of it is one, behind the prefix; of an array, each of its values.
// With Label, which goes with When, it is that one.
type LabelRule struct {
	Column string      `koanf:"column"`
	Prefix string      `koanf:"prefix"`
	Split  string      `koanf:"split"` // what parts the values in a text of several, as a comma
	Label  string      `koanf:"label"`
	When   []Condition `koanf:"when"` // any: the rule holds; none: it does
}

// checkLabels holds that rules can give labels, and that only posts have any.
func (t Table) checkLabels(k Kind, report func(key, format string, args ...any)) {
	if len(t.Labels) > 0 && k != Post {
		report("labels", "only posts have labels")
	}
	for i, rule := range t.Labels {
		if err := rule.check(); err != nil {
			report(fmt.Sprintf("labels[%d]", i), "%v", err)
		}
	}
}

func (r LabelRule) check() error {
	switch {
	case (r.Column == "") == (r.Label == ""):
		return errors.New("want either column, whose values are labels, or label with when")
	case r.Label != "" && len(r.When) == 0:
		return errors.New("label goes with when: else every post would have it")
	case r.Label != "" && (r.Prefix != "" || r.Split != ""):
		return errors.New("prefix and split go with column")
	case r.Label != "" && !isLabel(r.Label), r.Prefix != "" && !isLabel(r.Prefix+"x"):
		return fmt.Errorf("a label has at most %d bytes of UTF-8, no control characters and no comma", core.MaxKey)
	}
	return nil
}

// isLabel tells whether a text can be a label. A comma parts them in requests.
func isLabel(text string) bool {
	return text != "" && len(text) <= core.MaxKey && utf8.ValidString(text) && !strings.Contains(text, ",") &&
		!strings.ContainsFunc(text, unicode.IsControl)
}

// setLabels gives a post those of the rules. What can be no label is left out and counted: it is no reason to do
// without the post.
func (s *Source) setLabels(row *Row, after envelope.Row) error {
	if len(s.config.Labels) == 0 {
		return nil
	}
	keys, leftOut, err := s.config.labelsOf(after)
	ids := make([]core.ID, len(keys))
	for i, key := range keys {
		ids[i] = core.ID(row.learn(key))
	}
	row.Labels, row.LabelsLeftOut = core.LabelsOf(ids...), leftOut
	return err
}

func (t Table) labelsOf(after envelope.Row) (keys []core.Key, leftOut int, err error) {
	for _, rule := range t.Labels {
		texts, err := rule.texts(after)
		if err != nil {
			return nil, 0, err
		}
		for _, text := range texts {
			key, err := core.ParseKey(text)
			switch {
			case !isLabel(text) || err != nil:
				leftOut++
			case slices.Contains(keys, key):
			case len(keys) == core.MaxLabels:
				leftOut++
			default:
				keys = append(keys, key)
			}
		}
	}
	return keys, leftOut, nil
}

// texts are the labels of one rule.
func (r LabelRule) texts(after envelope.Row) (texts []string, err error) {
	if len(r.When) > 0 {
		if holds, err := anyOf(r.When, after); !holds || err != nil {
			return nil, err
		}
	}
	if r.Label != "" {
		return []string{r.Label}, nil
	}
	values, err := after.Texts(r.Column)
	if err != nil {
		return nil, err
	}
	for _, value := range values {
		parts := []string{value}
		if r.Split != "" {
			parts = strings.Split(value, r.Split)
		}
		for _, part := range parts {
			if part = strings.TrimSpace(part); part != "" {
				texts = append(texts, r.Prefix+part)
			}
		}
	}
	if len(texts) == 0 && r.Prefix == core.LanguagePrefix {
		texts = []string{core.UnknownLanguage}
	}
	return texts, nil
}

// LabelColumns are the columns of a post that give it labels.
func (c Config) LabelColumns() []string {
	var columns []string
	for _, rule := range c.Post.Labels {
		for _, condition := range rule.When {
			columns = append(columns, condition.Column)
		}
		if rule.Column != "" {
			columns = append(columns, rule.Column)
		}
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// LabelsOf are the labels of a post of which these columns were read, as text.
func (c Config) LabelsOf(columns envelope.Row) ([]string, error) {
	keys, _, err := c.Post.labelsOf(columns)
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = key.String()
	}
	return texts, err
}
