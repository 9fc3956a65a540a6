"""The addresses that pages name."""

import pytest
from starlette.routing import NoMatchFound, Router

from app.routes.site import addresses
from app.routes.table import ROUTES
from app.web import route


def test_every_address_is_the_one_that_starlette_finds() -> None:
    routes = [route(entry) for entry in ROUTES]
    url, router = addresses(routes), Router(routes)
    for entry, one in zip(ROUTES, routes, strict=True):
        values = {name: 7 if f"{{{name}:id}}" in entry.path else "x" for name in one.param_convertors}
        assert url(entry.name, **values) == router.url_path_for(entry.name, **values)
    with pytest.raises(NoMatchFound):
        url("inbox.show")
