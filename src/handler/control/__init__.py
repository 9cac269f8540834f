"""The control plane, ``/api``: endpoints, gateway keys, secrets and settings. Admin keys only."""
