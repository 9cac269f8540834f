"""What turns this repository into what AWS runs."""
