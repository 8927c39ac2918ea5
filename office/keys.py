"""The keys and anchor files that settings name, opened."""

from pathlib import Path

from config.settings import Settings
from config.setup import SetupError
from ledger.append import Ledger, load_signing_key
from storage.crypt import DataKey, load_or_create_key
from storage.database import Database, sqlite_file
from storage.seals import Seals


def open_ledger(settings: Settings, db: Database) -> Ledger:
    """The ledger in `db` with the key and anchor files of `settings`; SetupError for bad paths."""
    anchor, store = _path(settings.anchor_file), sqlite_file(settings.database_url)
    for path in (anchor, *settings.anchor_paths):
        if store is not None and path.resolve() == store.resolve():
            raise SetupError(f"锚定文件 {path} 就是数据库文件：请把 SHENFA_ANCHOR_FILE 设到别处")
    key = load_signing_key(_path(settings.ledger_key_file))
    return Ledger(db, key, anchor, settings.anchor_paths)


def open_crypt(settings: Settings) -> DataKey:
    """The key that hides names and addresses; made when there is none yet."""
    return DataKey(load_or_create_key(_path(settings.data_key_file)))


def open_database(settings: Settings) -> Database:
    """The database of `settings`, with the key that seals what may let something leave."""
    seals = Seals(open_crypt(settings).seal_key)
    return Database(settings.database_url, seals, settings.database_connections)


def _path(value: Path | None) -> Path:
    if value is None:
        raise SetupError("设置里缺少密钥文件路径")
    return value
