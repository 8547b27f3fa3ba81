package mapping

import "time"

// Row is a row of our copy, of any kind: see Layout for what First, Other and Text are.
type Row struct {
	Key       string // the primary key as text: see RowKey
	ID        int64  // users and posts
	First     int64
	Other     int64
	Text      string
	CreatedAt time.Time
	Hidden    bool // posts
	Gone      bool // deleted, or none of this kind
	// TextMissing says that Text is a large value which the change did not touch, so that it has to
	// come from elsewhere.
	TextMissing bool
}
