"""A policy and its file: values, messages, remedies."""
