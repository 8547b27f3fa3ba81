package absent

import "errors"

// words are what differs between the sets of people.
type words struct {
	closed              bool // while somebody may be missing, everybody is in the set
	metric              string
	people, left, read  string // help of metrics
	notLoaded, partly   error  // partly: nil where PostgreSQL knows all
	full                string // with the bound
	task, again, cannot string // of the log
}

var absentWords = words{
	metric: "absent",
	people: "People who are suspended, hidden or deleted, and whose posts this replica leaves out; 16 to 64 bytes each.",
	left:   "Suspended or deleted people whose posts are shown, because feed.absent.max_people was reached; one at least for each reading while it is.",
	read:   "Readings of who is suspended or deleted that failed; changes still come from Kafka.",

	notLoaded: errors.New("who is suspended or deleted is not known yet"),
	partly:    errors.New("who is suspended was read from PostgreSQL; of whom was deleted nothing is known yet"),
	full:      "more than feed.absent.max_people = %d people are suspended or deleted: posts of the others are shown",

	task:   "who is absent",
	again:  "who is absent is read from ClickHouse again",
	cannot: "cannot read who is absent from ClickHouse; changes still come from Kafka",
}

var optedOutWords = words{
	closed: true,
	metric: "opted_out",
	people: "People who opted out of being recommended, so that only their followers have their posts; 16 to 64 bytes each.",
	left:   "People who opted out beyond feed.absent.max_people: nobody is recommended until there are fewer.",
	read:   "Readings of who opted out of being recommended that failed; changes still come from Kafka.",

	notLoaded: errors.New("who opted out of being recommended is not known yet: nobody is recommended"),
	full:      "more than feed.absent.max_people = %d people opted out of being recommended: nobody is recommended",

	task:   "who opted out of being recommended",
	again:  "who opted out of being recommended is read from ClickHouse again",
	cannot: "cannot read who opted out of being recommended from ClickHouse; changes still come from Kafka",
}

var privateWords = words{
	closed: true,
	metric: "private",
	people: "People whose account is private, so that only their followers see their posts; 16 to 64 bytes each.",
	left:   "Private accounts beyond feed.absent.max_people: everybody's counts as private until there are fewer.",
	read:   "Readings of whose account is private that failed; changes still come from Kafka.",

	notLoaded: errors.New("whose account is private is not known yet: everybody's counts as private"),
	full:      "more than feed.absent.max_people = %d accounts are private: everybody's counts as private",

	task:   "whose account is private",
	again:  "whose account is private is read from ClickHouse again",
	cannot: "cannot read whose account is private from ClickHouse; changes still come from Kafka",
}
