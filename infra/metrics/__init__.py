"""What monitors are told: counts and times over OpenTelemetry, read at a port of loopback."""
