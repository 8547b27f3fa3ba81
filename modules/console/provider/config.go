package provider

import (
	"crypto/hkdf"
	"crypto/sha256"
	"net/netip"
	"net/url"
	"strings"
)

// Config says which OpenID provider logs operators in, and as what.
type Config struct {
	Issuer       string   `koanf:"issuer" validate:"omitempty,url"`                         // of the provider, as its tokens say it, such as https://login.example.com; empty: tokens only
	ClientID     string   `koanf:"client_id" validate:"max=500"`                            // by which the provider knows the console
	ClientSecret string   `koanf:"client_secret" validate:"omitempty,min=16" secret:"true"` // given by the provider; sessions are signed with a key that is made from it, so a new one ends them
	RedirectURL  string   `koanf:"redirect_url" validate:"omitempty,url"`                   // where the provider sends people back to: https://<the console as browsers see it>/console/login/oidc
	Scopes       []string `koanf:"scopes" validate:"dive,required"`                         // asked for beside openid
	RolesClaim   string   `koanf:"roles_claim" validate:"required"`                         // the claim that says what somebody may: a text or a list; dots lead into objects, such as realm_access.roles
	AdminWhen    []string `koanf:"admin_when" validate:"dive,required"`                     // values of it that let change everything, such as feedrank-admins
	ReadWhen     []string `koanf:"admin_read_when" validate:"dive,required"`                // values of it that let look only
	NameClaim    string   `koanf:"name_claim" validate:"required"`                          // whom the record of actions names; sub where it is missing, or is an email that is not verified
}

// DefaultConfig has no provider.
func DefaultConfig() Config {
	return Config{Scopes: []string{"email", "profile"}, RolesClaim: "groups", NameClaim: "email"}
}

// CallbackPath is where the provider sends people back to.
const CallbackPath = "/console/login/oidc"

// Check implements config.Checker.
func (c Config) Check() map[string]string {
	if c.Issuer == "" {
		return nil
	}
	wrong := map[string]string{}
	if !safe(c.Issuer) {
		wrong["issuer"] = "want https://…: what comes from it decides who is an operator (http is for this machine alone)"
	}
	if c.ClientID == "" {
		wrong["client_id"] = "want the id by which the provider knows the console, because issuer is set"
	}
	if c.ClientSecret == "" {
		wrong["client_secret"] = "want the secret that the provider gave with the client id: register the console as a confidential client"
	}
	u, err := url.Parse(c.RedirectURL)
	if err != nil || u.Path != CallbackPath || u.RawQuery != "" || !safe(c.RedirectURL) {
		wrong["redirect_url"] = "want https://<the console as browsers see it>" + CallbackPath + ", as it is registered with the provider"
	}
	if len(c.AdminWhen)+len(c.ReadWhen) == 0 {
		wrong["admin_when"] = "want values of the claim " + c.RolesClaim + " that open the console, here or in admin_read_when: without any nobody gets in"
	}
	return wrong
}

// safe tells whether an address is one of TLS, or of this machine.
func safe(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	return u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && local)
}

// SessionKey signs the sessions of who is logged in by the provider; nil without one. Every replica has the same.
func (c Config) SessionKey() []byte { return c.derive("session") }

// derive makes a key for one purpose of the client's secret.
func (c Config) derive(purpose string) []byte {
	if c.Issuer == "" || c.ClientSecret == "" {
		return nil
	}
	info := strings.Join([]string{"feedrank console", purpose, c.Issuer, c.ClientID}, "\x00")
	key, err := hkdf.Key(sha256.New, []byte(c.ClientSecret), nil, info, sha256.Size)
	if err != nil {
		return nil // of a length that cannot be: this one can
	}
	return key
}
