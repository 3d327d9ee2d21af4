"""Who may sign in, and whom the console can name."""
