"""What makes a site of pages that are also read on a code host: README.md as the home page, lists of folders, links to source files, dark pictures."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_LINK = re.compile(r"(!?\[[^\]]*\])\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
_CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
HOME, LIST, SOURCES = "index.md", "index.md", "files"
ASSETS = ("site.css", "iframe-worker.js")


def anchor(heading: str, separator: str = "-") -> str:
    """The name that code hosts give to a heading, by which the pages link to it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the home page, a list for each folder that is linked to, and the files of the repository that the pages link to."""
    root, docs = Path(config.config_file_path).parent, Path(config.docs_dir)
    for name in ASSETS:
        files.append(File.generated(config, f"assets/{name}", abs_src_path=str(root / "docs_site" / name)))
    files.append(File.generated(config, HOME, content=(root / "README.md").read_text(encoding="utf-8")))
    for file in list(files.documentation_pages()):
        place = root if file.src_uri == HOME else (docs / file.src_uri).parent
        for found in _LINK.finditer(_CODE.sub("", file.content_string)):
            target = Path(os.path.normpath(place / found[2]))
            uri = _uri(target, root, docs)
            if uri is None or files.get_file_from_path(uri):
                continue
            made = {"content": _list(target)} if target.is_dir() else {"abs_src_path": str(target)}
            files.append(File.generated(config, uri, **made))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lets the links lead to pages of the site, and gives each picture its dark one."""
    root, docs = Path(config.config_file_path).parent, Path(config.docs_dir)
    here = page.file.src_uri
    place = root if here == HOME else (docs / here).parent

    def site_link(found: re.Match[str]) -> str:
        words, name, part = found[1], found[2], found[3] or ""
        target = Path(os.path.normpath(place / name))
        uri = _uri(target, root, docs)
        if uri is None:
            return words.strip("[]") if words[0] == "[" else found[0]
        link = os.path.relpath(uri, os.path.dirname(here) or ".")
        dark = link.replace(".png", "-dark.png")
        if words[0] == "!" and dark != link and files.get_file_from_path(uri.replace(".png", "-dark.png")):
            return f"{words}({link}#only-light) {words}({dark}#only-dark)"
        return f"{words}({link}{part})"

    # Odd parts are code.
    parts = _CODE.split(markdown)
    return "".join(text if number % 2 else _LINK.sub(site_link, text) for number, text in enumerate(parts))


def _uri(target: Path, root: Path, docs: Path) -> str | None:
    """Where the site has a file or folder of the repository. None for what it has not: folders of source files."""
    if target.is_dir():
        if not target.is_relative_to(docs):
            return None
        page = "README.md" if (target / "README.md").exists() else LIST
        return (target / page).relative_to(docs).as_posix()
    if target.is_relative_to(docs):
        return target.relative_to(docs).as_posix()
    return f"{SOURCES}/{target.relative_to(root).as_posix()}" if target.exists() else target.as_posix()


def _list(folder: Path) -> str:
    """A page with a line for each page of the folder, by its heading."""
    pages = [path for path in sorted(folder.glob("*.md")) if path.name != LIST]
    lines = [
        f"- [{path.read_text(encoding='utf-8').partition(chr(10))[0].lstrip('# ')}]({path.name})" for path in pages
    ]
    return f"# {folder.name.capitalize()}\n\n" + "\n".join(lines) + "\n"
