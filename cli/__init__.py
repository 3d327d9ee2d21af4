"""The `huzhu` command: every act that a person can do."""
