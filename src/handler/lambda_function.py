"""The query plane on Lambda. ``handler`` is what AWS' own loop calls, for events that are answered
whole (REST and HTTP APIs, load balancers, `sam local`); ours streams its ``app``."""

from handler.app import query_routes
from handler.on_lambda import function

handler = function(query_routes)
