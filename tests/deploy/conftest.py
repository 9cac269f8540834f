"""What the tests of the deployment share."""

from tests.deploy.artefact import artefact

__all__ = ["artefact"]
