"""The hospital API."""
