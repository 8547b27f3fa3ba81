package core

import (
	"encoding/binary"
	"slices"
)

// Labels are the labels of a post, such as lang:de or sensitive: a set of the numbers of their texts. The zero value is
// none. Sets are compared with ==.
type Labels string

// MaxLabels bounds the labels that a post has from its columns, and as many from the app's table of labels.
const MaxLabels = 32

// LanguagePrefix begins the labels that are languages.
const LanguagePrefix = "lang:"

// UnknownLanguage is the label of a post whose column of its language is empty: und, as BCP 47 has it.
const UnknownLanguage = LanguagePrefix + "und"

const labelSize = 8

// LabelsOf makes a set, in whatever order its labels come.
func LabelsOf[N ~int64](ids ...N) Labels {
	if len(ids) == 0 {
		return ""
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	b := make([]byte, 0, labelSize*len(ids))
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, uint64(id))
	}
	return Labels(b)
}

// Len is how many there are.
func (l Labels) Len() int { return len(l) / labelSize }

// at is the ith in ascending order.
func (l Labels) at(i int) ID {
	b := l[labelSize*i : labelSize*(i+1)]
	return ID(uint64(b[0])<<56 | uint64(b[1])<<48 | uint64(b[2])<<40 | uint64(b[3])<<32 |
		uint64(b[4])<<24 | uint64(b[5])<<16 | uint64(b[6])<<8 | uint64(b[7]))
}

// IDs are the labels, ascending.
func (l Labels) IDs() []ID {
	ids := make([]ID, l.Len())
	for i := range ids {
		ids[i] = l.at(i)
	}
	return ids
}

// With is the set with those of another.
func (l Labels) With(o Labels) Labels {
	switch {
	case o == "":
		return l
	case l == "":
		return o
	}
	return LabelsOf(append(l.IDs(), o.IDs()...)...)
}

// First is the first label that is among some, which are ascending.
func (l Labels) First(among []ID) (ID, bool) {
	i, n := 0, l.Len()
	for _, id := range among {
		for i < n && l.at(i) < id {
			i++
		}
		if i == n {
			return 0, false
		}
		if l.at(i) == id {
			return id, true
		}
	}
	return 0, false
}

// LabelIDs are the numbers of labels, ascending, without those whose text can be no label.
func LabelIDs(texts []string) []ID {
	var ids []ID
	for _, text := range texts {
		if id, err := ParseID(text); err == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
