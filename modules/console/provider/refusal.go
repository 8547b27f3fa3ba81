package provider

import (
	"errors"
	"net/http"

	"golang.org/x/oauth2"
)

// Refusal is why nobody is logged in, for who reads the page.
type Refusal struct {
	Status int
	What   string
	Detail string
	Do     string
	cause  error // for the log; nil: all is said
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.cause != nil {
		return r.What + ": " + r.cause.Error()
	}
	return r.What + ": " + r.Detail
}

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.cause }

func away(cause error) *Refusal {
	return &Refusal{
		Status: http.StatusServiceUnavailable, What: "The provider does not answer",
		Detail: "Nobody can be logged in by it at the moment. The log says what it said.",
		Do:     "Try again in a minute, or log in with a token below.", cause: cause,
	}
}

func notBegun(cause error) *Refusal {
	return &Refusal{
		Status: http.StatusBadRequest, What: "This login was not begun here, or too long ago",
		Detail: "What the provider sent back does not belong to a login of this browser within the last ten minutes.",
		Do:     "Log in again. Allow cookies for this address if it comes back.", cause: cause,
	}
}

func refusedThere(code, description string) *Refusal {
	if description != "" {
		code += ": " + description
	}
	return &Refusal{
		Status: http.StatusForbidden, What: "The provider did not log you in", Detail: "It says " + code + ".",
		Do: "Log in again, or ask who runs the provider.",
	}
}

// notExchanged tells a code that the provider refuses from a provider that does not answer.
func notExchanged(err error) *Refusal {
	var said *oauth2.RetrieveError
	if !errors.As(err, &said) || said.Response != nil && said.Response.StatusCode >= http.StatusInternalServerError {
		return away(err)
	}
	return &Refusal{
		Status: http.StatusUnauthorized, What: "The provider does not take the login's code",
		Detail: "It was used already, or is too old; or the provider knows the console by another client_id, secret or redirect_url.",
		Do:     "Log in again. If it comes back, compare console.oidc with what is registered; the log has the answer.",
		cause:  err,
	}
}

func doesNotHold(cause error) *Refusal {
	return &Refusal{
		Status: http.StatusUnauthorized, What: "What the provider says of you does not hold",
		Detail: "The ID token could not be verified. The log says why.",
		Do:     "Log in again. If it comes back, the clocks may differ, or console.oidc names another issuer or client.",
		cause:  cause,
	}
}

func (c Config) noRole(name string) *Refusal {
	return &Refusal{
		Status: http.StatusForbidden, What: "You may not open the console",
		Detail: "The provider logged in " + name + ", whose claim " + c.RolesClaim +
			" has none of the values that open it.",
		Do: "Ask who runs the provider for one of those in console.oidc.admin_when or admin_read_when, and log in again.",
	}
}
