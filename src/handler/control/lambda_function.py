"""The control plane on Lambda: a function of its own, with a role of its own."""

from handler.control.routes import control_routes
from handler.on_lambda import function

handler = function(control_routes)
