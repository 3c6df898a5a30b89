"""Ways to look at a text that show what it hides: normalised, decoded, unpacked, put together."""

from tollgate.dlp.views.joins import Join, joins
from tollgate.dlp.views.looking import attachment_views, views
from tollgate.dlp.views.view import Budget, TooMuch, View, ViewError

__all__ = ["Budget", "Join", "TooMuch", "View", "ViewError", "attachment_views", "joins", "views"]
