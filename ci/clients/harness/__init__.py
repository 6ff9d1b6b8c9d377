"""What the client suites share: services to talk to, tokens to present, homes to live in."""
