"""What lasts: the state folder, the key in it, what is kept under names, and who does what alone."""

from tollgate.store.blobs import Blobs, New, Row
from tollgate.store.keys import Digester, load_key
from tollgate.store.leases import FileLeases, Lease, Leases
from tollgate.store.seal import Seal
from tollgate.store.state import StateError, state_folder
from tollgate.store.vault import Vault

__all__ = [
    "Blobs",
    "Digester",
    "FileLeases",
    "Lease",
    "Leases",
    "New",
    "Row",
    "Seal",
    "StateError",
    "Vault",
    "load_key",
    "state_folder",
]
