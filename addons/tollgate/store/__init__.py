"""What lasts: the state folder and the key in it."""

from tollgate.store.keys import Digester, load_key
from tollgate.store.state import StateError, state_folder
from tollgate.store.vault import Vault

__all__ = ["Digester", "StateError", "Vault", "load_key", "state_folder"]
