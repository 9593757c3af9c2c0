"""The log as objects of an S3-like store, by ``obstore``. See docs/adr/0029.

An object is there whole or not at all, and durable, once a put was answered: such a store has no names to sync. Two conditions do
what renaming does in a folder, and more:

1. Tiles, bundles and what stands beside the log follow from the plan and never change: they are *created*, never replaced. Who
   finds one there already reads it: the same bytes are its own, put by an earlier try or by the writer before; others are ``LogDamaged``.
2. The checkpoint is put only over the one that this writer saw last (its ETag). Over another's it is refused: ``Superseded``. So a writer
   that slept can't put an older checkpoint into its place, however late it wakes.

A store without the second condition (obstore's local one) is asked for the ETag right before.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError, PreconditionError

from services.audit.ports import LogDamaged, Superseded

CHECKPOINT = "checkpoint"
_PUTS_AT_ONCE = 8
_OVERWRITE = "overwrite"
_CREATE = "create"


class StoreUnavailable(OSError):
    """The store did not take or give an object; whether a put happened is not known. The next start finds out."""


class ObjectStore:
    """``LogStore`` on an obstore store. One object for the writer; readers have one of their own, for it remembers the checkpoint seen."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(_PUTS_AT_ONCE, thread_name_prefix="log-put")
        # Condition of the next put of the checkpoint: over this object, or where there is none.
        self._seen: str | None = None

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """See ``LogStore.write``. Raises ``StoreUnavailable``, ``LogDamaged``; ``Superseded`` for the checkpoint of another writer."""
        if len(files) == 1:
            self._write_one(*files[0])
        else:
            list(self._pool.map(lambda one: self._write_one(*one), files))

    def _write_one(self, path: str, data: bytes) -> None:
        try:
            if path == CHECKPOINT:
                self._put_checkpoint(data)
            else:
                self._create(path, data)
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from error

    def _create(self, path: str, data: bytes) -> None:
        try:
            self._put(path, data, _CREATE)
        except AlreadyExistsError:
            pass
        found = self._get(path)
        if found is None or found[0] != data:
            raise LogDamaged(f"{path} does not read back as it was written: other bytes stand there")

    def _put_checkpoint(self, data: bytes) -> None:
        try:
            self._put_over_seen(data)
        except (AlreadyExistsError, PreconditionError):
            # A put that was tried again meets its own first try; anything else is another writer's.
            found = self._get(CHECKPOINT)
            if found is None or found[0] != data:
                raise Superseded("the checkpoint was replaced by another writer") from None
        found = self._get(CHECKPOINT)
        if found is None or found[0] != data:
            raise LogDamaged("the checkpoint does not read back as it was written")
        self._seen = found[1]

    def _put_over_seen(self, data: bytes) -> None:
        if self._seen is None:
            self._put(CHECKPOINT, data, _CREATE)
            return
        try:
            self._put(CHECKPOINT, data, {"e_tag": self._seen})
        except (NotSupportedError, NotImplementedError):
            found = self._get(CHECKPOINT)
            if found is None or found[1] != self._seen:
                raise Superseded("the checkpoint was replaced by another writer") from None
            self._put(CHECKPOINT, data, _OVERWRITE)

    def _put(self, path: str, data: bytes, mode: Any) -> None:
        # In one piece: an upload in parts that is broken off leaves parts that nobody sees and somebody pays for.
        obstore.put(self._store, path, data, mode=mode, use_multipart=False)

    def _get(self, path: str) -> tuple[bytes, str | None] | None:
        try:
            found = obstore.get(self._store, path)
            return bytes(found.bytes()), found.meta["e_tag"]
        except FileNotFoundError:
            return None

    def read(self, path: str) -> bytes | None:
        """See ``LogStore.read``. Raises ``StoreUnavailable``."""
        try:
            found = self._get(path)
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from error
        if path == CHECKPOINT:
            self._seen = found[1] if found is not None else None
        return found[0] if found is not None else None

    def remove_partials(self, path: str) -> None:
        """See ``LogStore.remove_partials``."""
        try:
            for one in self._paths(f"{path}.p"):
                self._delete(one)
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from error

    def _delete(self, path: str) -> None:
        try:
            obstore.delete(self._store, path)
        except FileNotFoundError:
            return

    def _paths(self, prefix: str | None = None) -> list[str]:
        return [str(one["path"]) for page in obstore.list(self._store, prefix=prefix) for one in page]

    def leftovers(self) -> list[str]:
        """See ``LogStore.leftovers``. A put leaves nothing unfinished; the whole log is listed, a thousand names a request."""
        try:
            paths = self._paths()
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"the log can't be listed: {error}") from error
        return sorted({path.rpartition(".p/")[0] for path in paths if ".p/" in path} & set(paths))

    def close(self) -> None:
        """Stop the threads that put."""
        self._pool.shutdown()


def open_store(url: str) -> ObjectStore:
    """``s3://bucket/prefix`` and what else obstore knows; credentials come from the store's usual variables. Raises ``ValueError``
    for an address that names no such store, and for one on this machine: a folder is written with syncs, by ``FolderStore``."""
    if url.startswith(("file:", "memory:")):
        raise ValueError("a folder of this machine is named by MINGJIAN_LOG_DIR")
    try:
        return ObjectStore(obstore.store.from_url(url))
    except BaseError as error:
        raise ValueError(str(error)) from None
