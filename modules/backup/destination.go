package backup

import (
	"fmt"
	"regexp"
	"strings"
)

// Destinations are where ClickHouse can put its part.
const Destinations = "file (below backups.allowed_path of ClickHouse's configuration), " +
	"disk:NAME (of its backups.allowed_disk) or s3:COLLECTION (of its named_collections)"

// destination is where ClickHouse puts a backup.
type destination struct{ kind, name string }

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// parse reads file, disk:NAME or s3:COLLECTION.
func parse(text string) (destination, error) {
	kind, name, _ := strings.Cut(text, ":")
	switch {
	case kind == "file" && name == "", (kind == "disk" || kind == "s3") && plainName.MatchString(name):
		return destination{kind, name}, nil
	}
	return destination{}, fmt.Errorf("%q: want "+Destinations, text)
}

// at is the place of a backup in SQL. No secret is in it: ClickHouse knows those of its disks and collections.
func (d destination) at(name string) string {
	switch d.kind {
	case "disk":
		return fmt.Sprintf("Disk('%s', '%s/')", d.name, name)
	case "s3":
		return fmt.Sprintf("S3(%s, '%s')", d.name, name)
	default:
		return fmt.Sprintf("File('%s')", name)
	}
}
