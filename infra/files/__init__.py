"""Files that others write: insurers' statements, national settlement lists."""
