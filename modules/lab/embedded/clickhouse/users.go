package clickhouse

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	createUser = regexp.MustCompile(`^CREATE USER IF NOT EXISTS (\w+) IDENTIFIED `)
	grantTo    = regexp.MustCompile(`^(GRANT .+) TO (\w+)$`)
)

// ParseUsers reads the users of a file of CREATE USER and GRANT statements, and refuses any other. Each gets a password
// of password instead of the one in the file.
func ParseUsers(sql string, password func(name string) string) ([]User, error) {
	var users []User
	index := map[string]int{}
	for _, statement := range strings.Split(withoutComments(sql), ";") {
		statement = strings.Join(strings.Fields(statement), " ")
		if statement == "" {
			continue
		}
		if m := createUser.FindStringSubmatch(statement); m != nil {
			index[m[1]] = len(users)
			users = append(users, User{Name: m[1], Password: password(m[1])})
			continue
		}
		m := grantTo.FindStringSubmatch(statement)
		if m == nil {
			return nil, fmt.Errorf("grants: neither CREATE USER IF NOT EXISTS … IDENTIFIED nor GRANT … TO …: %s",
				statement)
		}
		i, made := index[m[2]]
		if !made {
			return nil, fmt.Errorf("grants: %s is granted something before it is made: %s", m[2], statement)
		}
		users[i].Grants = append(users[i].Grants, m[1])
	}
	return users, nil
}

func withoutComments(sql string) string {
	var kept strings.Builder
	for line := range strings.Lines(sql) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
