"""A plain HTTP client and a raw one: neither the sandbox's own code nor the library's tests the sandbox."""

from __future__ import annotations

import base64
import http.client
import io
import json
import socket
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest
from attrs import field, frozen
from PIL import Image, ImageChops, ImageFilter, ImageStat

from venice_async.sandbox import Sandbox
from venice_async.sandbox.paint import paint

SMALL = {"model": "fluently-xl", "prompt": "a red fox", "width": 64, "height": 64}


@frozen
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self):
        return json.loads(self.body)


def _call(sandbox, body=SMALL, *, path="/image/generate", method=None, key="some-key", headers=None):
    """Send one request on a connection of its own: a dict goes as JSON, bytes as they are, None as a GET."""
    url = urlsplit(sandbox.url)
    data = json.dumps(body).encode() if isinstance(body, dict | list) else body
    fields = {} if data is None else {"Content-Type": "application/json"}
    if key is not None:
        fields["Authorization"] = f"Bearer {key}"
    fields.update(headers or {})
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    try:
        connection.request(method or ("GET" if data is None else "POST"), url.path + path, data, fields)
        with connection.getresponse() as answer:
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
    finally:
        connection.close()


def _listen(sandbox, body=SMALL):
    """Send one request on a bare socket; return the bytes that came, and how they ended: "end" or "reset"."""
    url = urlsplit(sandbox.url)
    data = json.dumps(body).encode()
    head = (
        f"POST {url.path}/image/generate HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer k\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    came = bytearray()
    with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        connection.sendall(head.encode() + data)
        try:
            while chunk := connection.recv(65536):
                came += chunk
        except ConnectionResetError:
            return bytes(came), "reset"
    return bytes(came), "end"


class Pictures:
    """Small painted pictures, and what can be measured on them."""

    body = MappingProxyType(
        {
            "model": "fluently-xl",
            "prompt": "a red fox",
            "seed": 7,
            "width": 128,
            "height": 128,
            "format": "png",
        }
    )

    @classmethod
    def paint(cls, variant=0, **fields):
        """Paint the usual body with these fields."""
        return cls.opened(paint({**cls.body, **fields}, variant))

    @staticmethod
    def opened(data):
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image.convert("RGB")

    @staticmethod
    def encoded(image, image_format="PNG"):
        """Write the picture in base64."""
        data = io.BytesIO()
        image.save(data, image_format)
        return base64.b64encode(data.getvalue()).decode()

    @staticmethod
    def difference(one, other):
        """The mean absolute difference, 0 to 255."""
        return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3

    @staticmethod
    def mean(image):
        """The mean red, green and blue."""
        return ImageStat.Stat(image).mean

    @staticmethod
    def brightness(image):
        return ImageStat.Stat(image.convert("L")).mean[0]

    @staticmethod
    def saturation(image):
        return ImageStat.Stat(image.convert("HSV")).mean[1]

    @staticmethod
    def contrast(image):
        return ImageStat.Stat(image.convert("L")).stddev[0]

    @staticmethod
    def sharpness(image):
        """How much there is of edges and grain; the filter leaves the outermost pixels as they are."""
        edges = image.convert("L").filter(ImageFilter.FIND_EDGES)
        return ImageStat.Stat(edges.crop((1, 1, image.width - 1, image.height - 1))).mean[0]


@pytest.fixture(scope="session")
def pictures():
    return Pictures


@pytest.fixture
def small():
    return dict(SMALL)


@pytest.fixture
def call():
    return _call


@pytest.fixture
def listen():
    return _listen


@pytest.fixture
def sandbox():
    with Sandbox(latency=0, rpm=None) as running:
        yield running
