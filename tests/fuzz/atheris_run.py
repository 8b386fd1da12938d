"""One target under atheris, for so many seconds: `python -m fuzz.atheris_run TARGET S`.

A process of its own: libFuzzer ends the one that it runs in. What it finds it leaves
as a file named `crash-...` or `timeout-...` in the folder it was started in.
"""

import sys
import time
from pathlib import Path

import atheris  # type: ignore[import-untyped, unused-ignore]

_CORE = ("evidenced.core.telling", "evidenced.core.keeping")
_FOLDERS = ("evidenced.evidence", "evidenced.host.tree", *_CORE)
NEAR = {
    "form": ("evidenced.web",),
    "headers": ("evidenced.web",),
    "record": _FOLDERS,
    "signature": _FOLDERS,
    "folder": _FOLDERS,
    "import": _FOLDERS,
    "statement": _FOLDERS,
    "asking": _CORE,
    "picture": _CORE,
}
"""Where coverage is counted of a target: all of it takes minutes beside other work."""
ALL = ("evidenced", "tomllib")

with atheris.instrument_imports(include=["fuzz", *NEAR.get(sys.argv[1], ALL)]):
    from fuzz.targets import TARGETS

LONGEST_BYTES = 4_000
"""What long inputs cost is measured by `test_targets`; short ones are tried oftener."""
SOON_S = 10.0
"""Of the processor: on a busy machine one input may stand still for as long."""
HANGS_S = 300
MUCH_MB = 1024


def main(name: str, seconds: str) -> None:
    corpus = Path(name)
    corpus.mkdir()
    for number, sample in enumerate(TARGETS[name].samples):
        (corpus / f"sample-{number}").write_bytes(sample)
    words = Path(f"{name}.dict")
    words.write_text("".join(map(_entry, TARGETS[name].words)))
    run = TARGETS[name].run

    def timed(data: bytes) -> None:
        begun = time.process_time()
        run(data)
        took = time.process_time() - begun
        assert took < SOON_S, f"one input took {took:.1f} s"

    options = [
        *(f"-max_total_time={seconds}", f"-dict={words}", "-print_final_stats=1"),
        *(f"-max_len={LONGEST_BYTES}", f"-timeout={HANGS_S}"),
        f"-rss_limit_mb={MUCH_MB}",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], timed)
    atheris.Fuzz()


def _entry(word: bytes) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'


if __name__ == "__main__":
    main(*sys.argv[1:])
