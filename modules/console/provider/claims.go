package provider

import (
	"slices"
	"strings"

	"github.com/feedrank/feedrank/modules/platform/httpserver/textcheck"
)

// claims are what the provider says of somebody.
type claims map[string]any

// find is a claim by its name, or by the names that lead to it, with dots between.
func (c claims) find(name string) (any, bool) {
	if value, ok := c[name]; ok {
		return value, true
	}
	within, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil, false
	}
	inner, ok := c[within].(map[string]any)
	if !ok {
		return nil, false
	}
	return claims(inner).find(rest)
}

// values are those of a claim: a text is one, and a list has many.
func (c claims) values(name string) (all []string) {
	found, _ := c.find(name)
	switch value := found.(type) {
	case string:
		return []string{value}
	case []any:
		for _, one := range value {
			if text, ok := one.(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}

// role tells what somebody may; ok is false for nothing.
func (c Config) role(said claims) (reads, ok bool) {
	has := func(wanted []string) bool {
		return slices.ContainsFunc(said.values(c.RolesClaim), func(v string) bool { return slices.Contains(wanted, v) })
	}
	if has(c.AdminWhen) {
		return false, true
	}
	return true, has(c.ReadWhen)
}

// maxName bounds what the record of actions calls somebody.
const maxName = 200

// name is what the record calls somebody: never what they could have made up, so an email must be verified.
func (c Config) name(said claims, subject string) string {
	found, _ := said.find(c.NameClaim)
	name, isText := found.(string)
	unverified := c.NameClaim == "email" && (said["email_verified"] == false || said["email_verified"] == "false")
	if !isText || name == "" || unverified || len(name) > maxName || !textcheck.IsText(name) {
		return subject
	}
	return name
}

// lacks tells whether something that we look for is not said.
func (c Config) lacks(said claims) bool {
	_, roles := said.find(c.RolesClaim)
	_, name := said.find(c.NameClaim)
	return !roles || !name
}
