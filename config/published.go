package config

import (
	"net/url"
	"strings"
)

// published are the passwords that stood in examples of ours. Whatever tells to be changed is none either.
var published = []string{"feedrank"}

// CheckPublished refuses secrets that everybody can read in our examples. `feedrank serve` asks it; dev and demo, whose
// servers are on one machine and made for it, do not.
func CheckPublished(cfg Config) error {
	var problems Problems
	for _, k := range keysOf(&cfg) {
		if !k.secret {
			continue
		}
		values, isList := k.value.Interface().([]string)
		if !isList {
			values = []string{k.value.String()}
		}
		for _, value := range values {
			if isPublished(value) {
				problems = append(problems, Problem{
					Key: k.path,
					Want: "this secret is in our own examples, where everybody reads it; " +
						"make one: openssl rand -hex 32",
				})
				break
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

func isPublished(secret string) bool {
	if u, err := url.Parse(secret); err == nil && u.User != nil {
		secret, _ = u.User.Password()
	}
	plain := strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(secret))
	if strings.Contains(plain, "changeme") || strings.Contains(plain, "changethis") {
		return true
	}
	for _, known := range published {
		if secret == known {
			return true
		}
	}
	return false
}
