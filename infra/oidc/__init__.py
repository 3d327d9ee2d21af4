"""OpenID Connect: who somebody is, told by a provider."""
