"""What each insurer of a treaty bears."""
