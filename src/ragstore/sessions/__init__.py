"""Sessions of a host's users: tokens, rules, events."""
