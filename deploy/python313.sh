#!/bin/sh
# Prints the path of a Python 3.13, which is what the functions run on. PYTHON313 says which.

works() { [ "$("$1" -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null)" = "3 13" ]; }

if [ -n "$PYTHON313" ]; then
  set -- "$PYTHON313"
else
  # Beside the one that is in use, where pyenv keeps them; its shim works only for those it is told of.
  beside=$(python3 -c 'import os, sys; print(os.path.dirname(sys.base_prefix))')
  set -- python3.13 "$beside"/3.13*/bin/python3.13 "$HOME"/.pyenv/versions/3.13*/bin/python3.13 \
    "$(uv python find 3.13 2>/dev/null)"
fi
for python; do
  works "$python" && exec "$python" -c 'import sys; print(sys.executable)'  # a shim may hide it
done
echo "No Python 3.13 that works among: $*
Install one (uv python install 3.13, pyenv install 3.13) or say where it is: PYTHON313=/path/to/python3.13" >&2
exit 1
