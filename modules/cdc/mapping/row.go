package mapping

import "time"

// Row is a row of our copy, of any kind: see Layout for what First and Other are. It holds nothing that people
// wrote: names and bodies stay where they are.
type Row struct {
	Key       string // the primary key as text: see RowKey
	ID        int64  // users and posts
	First     int64
	Other     int64
	CreatedAt time.Time
	Hidden    bool // posts
	Gone      bool // deleted, or none of this kind
}
