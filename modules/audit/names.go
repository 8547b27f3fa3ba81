package audit

import (
	"context"
	"regexp"
	"slices"
	"strconv"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
)

// numbered is where a finding names something by a number that was derived from its key: those have 19 digits.
var numbered = regexp.MustCompile(`\b(user|author|post) (-?[0-9]{19})\b`)

// named is the report with the app's keys in place of numbers that were derived from them. What is kept has the
// numbers: so whoever erases a person finds them there.
func (s *Service) named(ctx context.Context, r Report) Report {
	var ids []core.ID
	for _, f := range r.Findings {
		for _, m := range numbered.FindAllStringSubmatch(f.Where+" "+f.Detail, -1) {
			if id, err := core.ParseNumber(m[2]); err == nil && id.Derived() {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return r
	}
	slices.Sort(ids)
	texts, err := s.names.Texts(ctx, slices.Compact(ids))
	if err != nil {
		s.log.Warn("findings name by numbers: their keys cannot be read", zap.Error(err))
	}
	r.Findings = slices.Clone(r.Findings)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Where, f.Detail = name(f.Where, texts), name(f.Detail, texts)
	}
	return r
}

// name puts keys, in quotes, where a text has their numbers.
func name(text string, texts map[core.ID]string) string {
	return numbered.ReplaceAllStringFunc(text, func(found string) string {
		m := numbered.FindStringSubmatch(found)
		id, err := core.ParseNumber(m[2])
		key, known := texts[id]
		if err != nil || !known {
			return found
		}
		return m[1] + " " + strconv.Quote(key)
	})
}
