"""Finds what a workspace folder holds: sources, macros and rule files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from core.errors import BadInput
from core.yamlfile import load_yaml

DEFAULT_INCLUDE: Final = (
    "**/*.md",
    "**/*.mdx",
    "**/*.markdown",
    "**/*.html",
    "**/*.htm",
    "**/*.txt",
)
DEFAULT_SOURCE: Final = "help-center"
MACROS: Final = "macros"
INDEX_FILE: Final = "index.jsonl"

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class SourceSpec(BaseModel):
    """One source of help-center content, as an entry of ``sources.yaml``.

    Attributes:
        name: Begins the ids of its articles; lower-case letters, digits, ``-`` and ``_``.
        kind: ``folder`` of files, or a document ``loader`` of LangChain's community package.
        path: The folder; relative to the workspace. Absolute once the workspace is loaded.
        include: Globs of the files to read, relative to ``path``; ``**`` spans folders.
        exclude: Globs of files to leave out.
        owner: Owner of the articles that name none.
        review_every_days: Review rhythm of the articles that name none.
        url: Where customers read it: a base, or a pattern with ``{path}`` (no extension) or
            ``{file}``.
        loader: Class name in ``langchain_community.document_loaders``.
        args: Keyword arguments of that class; ``path`` and ``file_path`` are relative to the
            workspace.
        id_key: Metadata key that tells one document from another.
        date_key: Metadata key of a document's date.
        title_key: Metadata key of a document's title.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Slug
    kind: Literal["folder", "loader"] = "folder"
    path: Path | None = None
    include: tuple[str, ...] = DEFAULT_INCLUDE
    exclude: tuple[str, ...] = ()
    owner: str | None = None
    review_every_days: int | None = Field(None, ge=1)
    url: str | None = Field(None, pattern=r"^https?://")
    loader: str | None = Field(None, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    args: dict[str, Any] = Field(default_factory=dict)
    id_key: str = "source"
    date_key: str | None = None
    title_key: str = "title"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "folder" and self.path is None:
            raise ValueError("a folder source needs a path")
        if self.kind == "loader" and self.loader is None:
            raise ValueError("a loader source needs the name of a loader")
        return self


class _SourcesFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sources: list[SourceSpec]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if MACROS in names:
            raise ValueError(f"{MACROS!r} is the name of the macros folder; choose another name")
        if twice:
            raise ValueError(f"two sources are named {twice[0]!r}; names must differ")
        return self


@dataclass(frozen=True)
class Workspace:
    """A team's content and rules."""

    folder: Path
    sources: list[SourceSpec]

    @classmethod
    def load(cls, folder: Path) -> Workspace:
        """Return the workspace in ``folder``.

        Without a ``sources.yaml`` its one source is ``articles/``, or else the folder itself when
        that holds an ``index.jsonl`` or documents.

        Raises:
            BadInput: There is no such folder, its ``sources.yaml`` is wrong, or it holds nothing.
        """
        folder = folder.expanduser().absolute()
        if not folder.is_dir():
            raise BadInput(
                f"{folder}: there is no such folder; name a workspace with PROOFDESK_WORKSPACE, "
                "or make one with `proofdesk init`."
            )
        listed = folder / "sources.yaml"
        if listed.is_file():
            sources = load_yaml(listed, _SourcesFile).sources
            return cls(folder, [_absolute(source, folder) for source in sources])
        return cls(folder, [_default_source(folder)])

    @property
    def macros_folder(self) -> Path:
        """Folder of the macros; it need not exist."""
        return self.folder / "macros"

    @property
    def macros(self) -> SourceSpec:
        """The macros, as a source."""
        return SourceSpec(
            name=MACROS, path=self.macros_folder, include=("**/*.md", "**/*.markdown", "**/*.txt")
        )

    @property
    def reasons_file(self) -> Path:
        """The contact reason map; it need not exist."""
        return self.folder / "reasons.yaml"

    @property
    def tiers_file(self) -> Path:
        """The tier rules; it need not exist."""
        return self.folder / "tiers.yaml"


def _absolute(source: SourceSpec, folder: Path) -> SourceSpec:
    changes: dict[str, Any] = {}
    if source.path is not None:
        changes["path"] = folder / source.path.expanduser()
    if source.kind == "loader":
        changes["args"] = {
            key: str(folder / value)
            if key in {"path", "file_path"} and isinstance(value, str) and "://" not in value
            else value
            for key, value in source.args.items()
        }
    return source.model_copy(update=changes)


def _default_source(folder: Path) -> SourceSpec:
    articles = folder / "articles"
    if articles.is_dir():
        return SourceSpec(name=DEFAULT_SOURCE, path=articles)
    # The rules and macros of a workspace lie beside its articles; they are not articles.
    source = SourceSpec(name=DEFAULT_SOURCE, path=folder, exclude=(f"{MACROS}/**",))
    suffixes = {pattern.rpartition("*")[2] for pattern in DEFAULT_INCLUDE}
    if (folder / INDEX_FILE).is_file():
        return source
    if any(path.suffix.lower() in suffixes for path in folder.rglob("*")):
        return source
    raise BadInput(
        f"{folder}: holds no sources.yaml, no articles/ folder, no {INDEX_FILE} and no documents; "
        "make a workspace with `proofdesk init`."
    )
