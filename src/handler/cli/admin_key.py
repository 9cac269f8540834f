"""``sluicegate admin-key``: the key that everything else is configured with."""

import asyncio

from gateway.errors import Unavailable
from gateway.settings import Settings
from handler.cli.configuration import on_aws, settings_for
from handler.cli.control import control_of
from handler.cli.keys import make_admin_key
from handler.cli.options import Place
from handler.cli.screen import print_line
from handler.cli.trouble import Trouble


def admin_key(place: Place) -> None:
    settings = settings_for()
    if on_aws(settings, place):
        print_line(_first_of_aws(settings))
        return
    with control_of(settings, place) as control:
        make_admin_key(control)


def _first_of_aws(settings: Settings) -> str:
    from gateway.bootstrap.aws import read_admin_key

    try:
        return asyncio.run(read_admin_key(settings))
    except Unavailable as error:
        if error.code != "secret_missing":
            raise
        raise Trouble(
            "the gateway on AWS has made no admin key yet: it does when it first starts; to make "
            "one now: sluicegate keys create NAME --admin --aws"
        ) from error
