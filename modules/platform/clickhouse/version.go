package clickhouse

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is that of a server: year, month, patch and build.
type Version [4]int

// oldest is what we need: the oldest release with long support that has every setting and function that our
// statements name.
var oldest = Version{25, 8}

// ParseVersion reads what version() says. What follows the numbers, as builds of others have it, does not matter.
func ParseVersion(s string) (v Version, err error) {
	parts := strings.Split(s, ".")
	for i := range min(len(parts), len(v)) {
		digits := parts[i]
		if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			digits = digits[:end]
		}
		if v[i], err = strconv.Atoi(digits); err != nil {
			return Version{}, fmt.Errorf("%q is not a version of ClickHouse", s)
		}
	}
	if len(parts) < 2 {
		return Version{}, fmt.Errorf("%q is not a version of ClickHouse", s)
	}
	return v, nil
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3]) }

// Before tells whether v is older than w.
func (v Version) Before(w Version) bool {
	for i := range v {
		if v[i] != w[i] {
			return v[i] < w[i]
		}
	}
	return false
}

// loss is a fault of the server by which rows are lost that it acknowledged.
type loss struct {
	says  string
	fixed []Version // the first version of each release without it, oldest first; later releases have it not either
}

// faults are those of servers that touch what we do. Tell them in config/README.md too: a test compares.
var faults = []loss{{
	says:  "an insert into a replicated table that is cancelled can lose rows which it had committed (ClickHouse/ClickHouse#112149)",
	fixed: []Version{{26, 3, 33, 61}, {26, 6, 5, 114}, {26, 7, 7, 87}, {26, 8, 3, 98}},
}}

// losses names the faults that a version has, each with the versions that are without it.
func losses(v Version) (all []string) {
	for _, l := range faults {
		if l.in(v) {
			names := make([]string, len(l.fixed))
			for i, f := range l.fixed {
				names[i] = f.String()
			}
			all = append(all, fmt.Sprintf("ClickHouse %s: %s; it is fixed in %s and in later releases", v, l.says,
				strings.Join(names, ", ")))
		}
	}
	return all
}

func (l loss) in(v Version) bool {
	for _, f := range l.fixed {
		if f[0] == v[0] && f[1] == v[1] {
			return v.Before(f)
		}
	}
	return v.Before(l.fixed[len(l.fixed)-1]) // a release that got no fix
}
