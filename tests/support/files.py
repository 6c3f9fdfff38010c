"""Settings as files: the sample, the least that is allowed, and an entry written out."""

from pathlib import Path

FUNCTIONS = Path(__file__).parents[2] / "functions"
SAMPLE = (FUNCTIONS / "lifecycle.yaml").read_bytes()
LEAST = "namespace: acme\nendpoints: {embeddings: {}}\n"


def with_entry(text: str) -> str:
    return f"namespace: acme\nendpoints: {{embeddings: {{{text}}}}}"
