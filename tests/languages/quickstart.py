"""Runs a client's quickstart, the block of its README that users copy first, in a project of its own as the README says
to make it."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.languages.documented import block
from tests.languages.languages import Language


@dataclass(frozen=True)
class Project:
    """Where the block goes, what lies beside it, and what runs it: text in which `{client}` is the client's folder and
    `{here}` the project's."""

    source: str
    commands: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    folder: str = "{here}"


_PROJECTS = {
    # JavaScript as it stands, and TypeScript too.
    "typescript": Project(
        "quickstart.mjs",
        (
            "mkdir node_modules && ln -s {client} node_modules/slotd",
            "ln -s {client}/node_modules/@types node_modules && cp quickstart.mjs quickstart.mts",
            "{client}/node_modules/.bin/tsc --strict --noEmit --module nodenext --target es2022 quickstart.mts",
            "node quickstart.mjs",
        ),
    ),
    # Outside of a module of its own, so that nothing has to be fetched: it takes the client's.
    "go": Project("main.go", ("go run {here}/main.go",), folder="{client}"),
    "java": Project("Quickstart.java", ("java -cp '{client}/target/lib/*' Quickstart.java",)),
    "rust": Project(
        "src/main.rs",
        (
            "cp {client}/Cargo.lock .",
            # As the client itself is built, so that nothing is built twice.
            "export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1",
            "cargo run --quiet --offline --target-dir {client}/target",
        ),
        {
            "Cargo.toml": """
                [package]
                name = "quickstart"
                edition = "2021"
                [dependencies]
                slotd = {{ path = "{client}" }}
                serde_json = "1"
                tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}
            """
        },
    ),
    # The block is itself a script, which makes its project below the client's `out`.
    "cpp": Project("quickstart.sh", ("sh {here}/quickstart.sh",), folder="{client}"),
}


def run(language: Language, here: Path, address: str, timeout: float) -> str:
    """What the quickstart prints, with SLOTD_ADDRESS set. Raises CalledProcessError where it fails."""
    project = _PROJECTS[language.name]
    places = {"client": str(language.folder), "here": str(here)}
    files = {name: text.format(**places) for name, text in project.files.items()}
    files[project.source] = block(language.folder / "README.md", "quickstart")
    for name, text in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["sh", "-euc", "\n".join(project.commands).format(**places)],
        cwd=project.folder.format(**places),
        env=os.environ | {"SLOTD_ADDRESS": address},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=timeout,
        check=True,
        text=True,
    )
    return done.stdout
