package httpserver

// List is the envelope of every list: its items, and where the next ones begin.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"` // null: there are no more
}

// ListOf makes a list; next is the cursor of what follows, empty at the end.
func ListOf[T any](items []T, next string) List[T] {
	out := List[T]{Items: items}
	if items == nil {
		out.Items = []T{}
	}
	if next != "" {
		out.NextCursor = &next
	}
	return out
}
