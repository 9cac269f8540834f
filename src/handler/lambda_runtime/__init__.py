"""Lambda's Runtime API, driven by an asyncio loop of our own that streams.

AWS' own Python runtime buffers every answer. This package stands in its place, behind the wrapper
script ``bootstrap_wrapper``, and can be deleted whole on the day that AWS' streams: everything else
sees an ASGI app and a Mangum handler. Source of the protocol: AWS' documentation, pages
"Using the Lambda runtime API" and "Building a custom runtime" (section Response streaming).
"""
