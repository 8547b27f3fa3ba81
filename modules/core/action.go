package core

// Action is what a user did with a post. The numbers are stored in ClickHouse: never reuse one.
type Action uint8

// The actions that clients may send. What each counts for is documented with the views in
// sql/clickhouse.
const (
	ActionImpression    Action = 1 // the post was on screen
	ActionView          Action = 2 // the post was opened
	ActionClick         Action = 3 // something in the post was followed
	ActionLike          Action = 4
	ActionUnlike        Action = 5
	ActionComment       Action = 6
	ActionShare         Action = 7
	ActionDwell         Action = 8 // how long the post was looked at, in dwell_ms
	ActionHide          Action = 9
	ActionNotInterested Action = 10
	ActionUnhide        Action = 11 // takes hide and not_interested back
)

var actionNames = [...]string{
	ActionImpression: "impression", ActionView: "view", ActionClick: "click", ActionLike: "like",
	ActionUnlike: "unlike", ActionComment: "comment", ActionShare: "share", ActionDwell: "dwell",
	ActionHide: "hide", ActionNotInterested: "not_interested", ActionUnhide: "unhide",
}

// ParseAction finds an action by its name.
func ParseAction(name string) (Action, bool) {
	for i, n := range actionNames {
		if n != "" && n == name {
			return Action(i), true
		}
	}
	return 0, false
}

// Actions lists every action, in the order of their numbers.
func Actions() []Action {
	all := make([]Action, 0, len(actionNames))
	for i, n := range actionNames {
		if n != "" {
			all = append(all, Action(i))
		}
	}
	return all
}

// Valid tells whether the action is one of ours.
func (a Action) Valid() bool { return int(a) < len(actionNames) && actionNames[a] != "" }

// String is the action's name in the API.
func (a Action) String() string {
	if !a.Valid() {
		return "unknown"
	}
	return actionNames[a]
}
