"""Who may call, and whether there is room."""
