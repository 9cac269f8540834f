"""The world, as the ports want it: networks, stores, secrets, logs."""
