"""How answers look whole and streamed, by dialect, and how one becomes the other."""

from tollgate.cache.forms.form import Form, FormError
from tollgate.cache.forms.registry import FORMS

__all__ = ["FORMS", "Form", "FormError"]
