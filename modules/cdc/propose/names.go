package propose

import (
	"slices"
	"strings"
	"unicode"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

// tableWords are the last words of tables' names, in the singular, the surest first.
var tableWords = map[mapping.Kind][]string{
	mapping.User:    {"user", "account", "member", "person", "people", "profile"},
	mapping.Post:    {"post", "status", "article", "note", "topic", "story", "tweet"},
	mapping.Follow:  {"follow", "follower", "following", "followee", "subscription", "friendship", "relationship"},
	mapping.Comment: {"comment", "reply", "response"},
	mapping.Like:    {"like", "favourite", "favorite", "vote", "reaction"},
	mapping.Block:   {"block"},
	mapping.Mute:    {"mute", "ignore", "ignored"},
	mapping.Hide:    {"hide", "hidden", "dismissal", "dismissed", "dismiss"},
}

// Of groups: what they are called, what those tables are called that say who is in one, and what says that somebody
// only asked to be, or that a post is for members.
var (
	groupWords   = []string{"group", "community", "club", "team", "space", "circle", "guild", "room", "channel"}
	memberTables = []string{"member", "membership", "participant", "follower", "subscriber", "subscription"}
	joinedFlags  = []string{
		"accepted", "is_accepted", "approved", "is_approved", "confirmed", "is_confirmed", "active", "is_active",
	}
	notYetFlags = []string{
		"pending", "is_pending", "requested", "invited", "is_invited", "banned", "is_banned", "blocked", "is_blocked",
	}
	leftTimes    = []string{"left_at", "removed_at", "banned_at", "kicked_at"}
	membersFlags = []string{
		"members_only", "is_members_only", "member_only", "group_only", "private", "is_private", "closed", "is_closed",
	}
)

var (
	authorWords = []string{
		"author", "user", "account", "creator", "owner", "poster", "person", "member", "profile",
		"posted_by", "created_by", "written_by",
	}
	postWords = []string{"post", "status", "article", "note", "topic", "story", "tweet"}
	timeNames = []string{
		"created_at", "created", "created_on", "create_time", "creation_date", "inserted_at", "published_at",
		"published", "posted_at", "joined_at", "registered_at", "date_joined", "signup_at", "since", "timestamp",
		"date",
	}
	bodyNames = []string{"body", "text", "content", "raw", "title", "body_markdown", "caption", "message"}
	goneTimes = []string{"deleted_at", "discarded_at", "removed_at", "archived_at", "trashed_at", "destroyed_at"}
	goneFlags = []string{"deleted", "is_deleted", "removed", "is_removed", "hidden", "is_hidden", "discarded"}

	// of users: nobody is to see them for now
	suspendedTimes = []string{
		"suspended_at", "banned_at", "deactivated_at", "disabled_at", "silenced_at", "blocked_at", "frozen_at",
	}
	suspendedFlags = []string{
		"suspended", "is_suspended", "banned", "is_banned", "deactivated", "is_deactivated", "disabled", "is_disabled",
		"silenced", "is_silenced", "shadow_banned", "shadowbanned",
	}
	activeFlags  = []string{"active", "is_active"}
	privateFlags = []string{"private", "is_private", "protected", "is_protected", "private_account"}
	// of users: they are not to be recommended, or they are
	noDiscoveryFlags = []string{
		"no_discovery", "hide_from_discovery", "hidden_from_discovery", "hide_from_recommendations",
		"hide_from_suggestions", "no_recommendations", "undiscoverable",
	}
	discoveryFlags = []string{"discoverable", "is_discoverable"}
	upFlags        = []string{"up", "is_up", "upvote", "is_upvote", "positive", "is_positive", "is_like", "liked"}

	replyTo = []string{"in_reply_to", "reply_to", "parent", "parent_post", "parent_status", "in_reply_to_post"}
	states  = []string{
		"status", "state", "visibility", "privacy", "audience", "type", "kind", "post_type",
		"post_number",
	}

	// anyWords are columns that may name rows of several tables.
	anyWords   = []string{"commentable", "reactable", "likeable", "likable", "votable", "voteable", "favoritable"}
	firstWords = []string{"follower", "subscriber", "reader", "blocker", "muter", "ignorer", "from", "source"}
	otherWords = []string{
		"followee", "followed", "following", "writer", "blocked", "muted", "ignored", "target", "to", "other",
		"friend", "followable",
	}
)

// words parts a name at underscores and capitals, in lower case.
func words(name string) []string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && !unicode.IsUpper(runes[i-1]) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func plain(name string) string { return strings.Join(words(name), "_") }

// bare is a column's name without what says that it is an id.
func bare(name string) string { return strings.TrimSuffix(plain(name), "_id") }

func singular(word string) string {
	switch {
	case strings.HasSuffix(word, "ies"):
		return strings.TrimSuffix(word, "ies") + "y"
	case strings.HasSuffix(word, "uses"):
		return strings.TrimSuffix(word, "es")
	case strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "us") && !strings.HasSuffix(word, "ss"):
		return strings.TrimSuffix(word, "s")
	}
	return word
}

// nameScore is how surely a table's name says the kind; 0: it does not.
func nameScore(k mapping.Kind, table string) int {
	_, name := mapping.SplitTable(table)
	parts := words(name)
	if len(parts) == 0 {
		return 0
	}
	last := parts[len(parts)-1]
	if k == mapping.Hide { // post_hides, hidden_posts
		for _, w := range parts {
			if slices.Contains(tableWords[k], singular(w)) {
				last = w
			}
		}
	}
	i := slices.Index(tableWords[k], singular(last))
	if i < 0 {
		return 0
	}
	score := 100 - 5*i
	if len(parts) > 1 {
		score -= 30
	}
	return score
}

// wordIn is the place of a column's name among words, whole or as its last or first word; -1: it is none of them.
func wordIn(list []string, column string) int {
	name := bare(column)
	if i := slices.Index(list, name); i >= 0 {
		return i
	}
	for i, w := range list {
		if strings.HasPrefix(name, w+"_") || strings.HasSuffix(name, "_"+w) {
			return len(list) + i
		}
	}
	return -1
}
