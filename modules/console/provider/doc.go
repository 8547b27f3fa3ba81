// Package provider logs operators in at an OpenID provider: the authorization code flow with PKCE (RFC 6749 and 7636,
// S256), as OpenID Connect Core 1.0 has it.
//
//	begin   the browser is sent to the provider. What it must bring back (state), what the ID token must say (nonce)
//	        and the verifier of the code are sealed into a cookie of ten minutes, so any replica can finish.
//	finish  state is compared, the code exchanged, and the ID token verified: signature by the provider's key set,
//	        issuer, audience, expiry, nonce. A claim that is not in it is asked for at the user info endpoint.
//	roles   the values of one claim say who changes things, and who only looks. Who has none of them is refused.
//
// The provider is found when the first operator comes, and not at the start: while it is away, tokens still log in.
package provider
