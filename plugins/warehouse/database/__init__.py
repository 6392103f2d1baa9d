"""The warehouse database: the server, its zones and roles, connections by role, and errors without people's values."""

from warehouse.database.connect import ROLES, connect, url
from warehouse.database.errors import DatabaseFault, clean_errors

__all__ = ["ROLES", "DatabaseFault", "clean_errors", "connect", "url"]
