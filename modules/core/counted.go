package core

// CountedFrom says where likes and comments count. Apps that write them to their own tables tell of them
// by CDC, and perhaps by events too: whichever is chosen, each counts once.
type CountedFrom struct {
	Likes    string `koanf:"likes_from" validate:"oneof=events cdc"`    // events: what clients send; cdc: the app's table of likes
	Comments string `koanf:"comments_from" validate:"oneof=events cdc"` // events: what clients send; cdc: the app's table of comments

	// Heaviest is how many likes one reaction may be, if more than one: the mapping says so.
	Heaviest int64 `koanf:"-"`
}

// CountedFromEvents is the default: everything is counted from what clients send.
func CountedFromEvents() CountedFrom { return CountedFrom{Likes: fromEvents, Comments: fromEvents} }

const (
	fromEvents = "events"
	fromCDC    = "cdc"
)

// Query is the name of the form of a query that counts from there, and its parameters with what it
// needs to know. Where everything comes from events the plain form asks the views alone.
func (c CountedFrom) Query(name string, params map[string]any) (string, map[string]any) {
	if c.Likes != fromCDC && c.Comments != fromCDC {
		return name, params
	}
	params["likes_from"], params["comments_from"] = c.Likes, c.Comments
	return name + "_cdc", params
}
