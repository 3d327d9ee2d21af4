"""From one event to everything that the ledger has to add: read, admit, adjudicate, explain, settle."""
