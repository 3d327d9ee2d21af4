"""Commands that run until stopped: worker, relay, gateway, console."""
