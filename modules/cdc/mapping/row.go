package mapping

import (
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Row is a row of our copy, of any kind: see Layout for what First and Other are. It holds nothing that people
// wrote: names and bodies stay where they are.
type Row struct {
	Key       string // the primary key as text: see RowKey
	ID        int64  // users and posts
	First     int64
	Other     int64 // of a post, its group
	CreatedAt time.Time
	Hidden    bool // users and posts
	Gone      bool // deleted, or none of this kind
	// Until is when a block or a mute ends without a change; zero: never. The copy of a row does not have it, its edges
	// do.
	Until time.Time
	// Audience is who may see the post; of a user, their posts.
	Audience core.Audience
	// NoDiscovery is of users: they opted out of being recommended, with their posts.
	NoDiscovery bool
	// AudienceUnknown is why the audience could not be told, and is the strictest; empty: it could.
	AudienceUnknown string
	// Value is of likes: how many likes the row is, or dislikes where it is below 0.
	Value int8
	// Labels are those that a post has from its columns.
	Labels core.Labels
	// LabelsLeftOut is how many labels could be none: too long, or too many.
	LabelsLeftOut int
	// Keys are the keys of the row's users, posts and labels, its own included, whose numbers were derived from them;
	// nil where there are none.
	Keys []core.Key
}

// learn notes a key that the row names, and returns its number.
func (r *Row) learn(key core.Key) int64 {
	if key.Text != "" {
		r.Keys = append(r.Keys, key)
	}
	return int64(key.ID)
}

// Absent tells whether a row of a user means that nobody is to see them, or their posts.
func (r Row) Absent() bool { return r.Gone || r.Hidden }

// CopyKey is the key of a row in our copy, as text.
func (k Kind) CopyKey(row Row) string {
	if k.Layout().ByID {
		return strconv.FormatInt(row.ID, 10)
	}
	return row.Key
}

// KeyedRow is a row of which only its key in our copy is known.
func (k Kind) KeyedRow(key string) Row {
	row := Row{Key: key}
	if k.Layout().ByID {
		row.ID, _ = strconv.ParseInt(key, 10, 64)
	}
	return row
}
