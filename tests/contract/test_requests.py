"""What a request says is said in every dialect, or reported by name."""

import pytest
from hypothesis import given

from gateway.chat.request import ChatRequest
from gateway.dialects import CHAT_DIALECTS, Dialect
from tests.contract.drawing import drawn
from tests.contract.holding import IDS, faults, form_of, read_back
from tests.contract.requests import requests

dialects = pytest.mark.parametrize("dialect", CHAT_DIALECTS, ids=IDS)


@dialects
@given(requests())
@drawn(60)
def test_nothing_is_lost_in_silence(dialect: Dialect, request: ChatRequest) -> None:
    written = form_of(dialect).write_request(request)
    assert faults(dialect, request, written, read_back(dialect, written)) == []
