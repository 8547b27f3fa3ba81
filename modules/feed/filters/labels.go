package filters

import (
	"fmt"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// label leaves out posts for the labels that they have, or lack: see LabelRules.
var label = Filter{
	Name:   "label",
	Labels: true,
	Detail: func(v *Viewer, author reserve.Author) string { return v.why.detail(author) },
}

// LabelRules say which labels the posts of a list may have. All lists of labels are ascending.
type LabelRules struct {
	// Wanted are what was asked for: a post has at least one label of each.
	Wanted [][]core.ID
	// Discovery are labels that keep a post out, unless the viewer follows its author or is in its group, and out of
	// each list for everybody.
	Discovery []core.ID
}

// Any tells whether a post may be left out by these rules.
func (r *LabelRules) Any() bool { return len(r.Wanted)+len(r.Discovery) > 0 }

// labelWhy is why a post was left out last, for Detail.
type labelWhy struct {
	lacks bool    // what was asked for
	label core.ID // that it has
}

func (w labelWhy) detail(author reserve.Author) string {
	if w.lacks {
		return "the post has none of the labels, or of the languages, that were asked for"
	}
	return fmt.Sprintf("the post has the label %s, which keeps it from those who do not follow author %s, "+
		"or are not in its group (feed.labels.discovery_hides)", w.label, author.ID)
}

// RejectedLabel is the label for which the label filter rejected last; 0: it lacked one.
func (v *Viewer) RejectedLabel() core.ID { return v.why.label }

// rejectsLabels tells whether the rules leave a post out.
func (v *Viewer) rejectsLabels(kind Kind, p Post) bool {
	for _, any := range v.Labels.Wanted {
		if _, has := p.Labels.First(any); !has {
			v.why = labelWhy{lacks: true}
			return true
		}
	}
	if p.Labels == "" || kind != Everybody && (p.InGroup || p.Author.Relation&reserve.Follows != 0) {
		return false
	}
	id, has := p.Labels.First(v.Labels.Discovery)
	v.why = labelWhy{label: id}
	return has
}
