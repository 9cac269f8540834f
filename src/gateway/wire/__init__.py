"""How bytes are framed: JSON, patches to JSON, server-sent events. No I/O, no vendor."""
