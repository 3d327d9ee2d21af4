"""How commands speak: output, language, wrapping."""
