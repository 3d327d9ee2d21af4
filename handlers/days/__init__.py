"""Days that are closed (日终): the only way in which time comes to a decision."""
