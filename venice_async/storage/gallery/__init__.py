"""Pages and pictures for a person to look a job through.

`page` makes `index.html` of what is in `assets`, `thumbnails` what it shows first, `plots` its drawings.
"""

from .page import PAGE, PageReport, check_page, write_page

__all__ = ["PAGE", "PageReport", "check_page", "write_page"]
