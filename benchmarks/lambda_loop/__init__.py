"""What our loop over Lambda's Runtime API adds to a call, a streamed chunk and a token's way."""
