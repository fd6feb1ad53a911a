"""The tests; each folder is a subject, `support` is what they share."""
