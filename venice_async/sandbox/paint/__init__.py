"""Pictures: a small painter that reads prompts. The only part of the server that knows Pillow."""

try:
    from .encode import CONTENT_TYPES, is_blurred, paint, size_of
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "PIL":
        raise
    raise ImportError('the sandbox needs Pillow: pip install "venice-async[sandbox]"') from None

__all__ = ["CONTENT_TYPES", "is_blurred", "paint", "size_of"]
