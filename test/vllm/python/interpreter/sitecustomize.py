"""Lets vLLM's Model Runner V2 run on a CPU: loaded by Python at its start from PYTHONPATH.

vLLM switches Triton off where no GPU is, because PyPI's Triton has no CPU backend. Its interpreter (TRITON_INTERPRET=1) needs
none, so the switch is set back just before the module acts on it.
"""

import importlib.abc
import importlib.machinery
import sys

MODULE = "vllm.triton_utils.importing"
BEFORE = "class TritonPlaceholder"


class Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        source = self.get_data(self.path).decode()
        if BEFORE not in source:
            raise ImportError(f"{self.path} has no {BEFORE!r}: another version of vLLM")
        return self.source_to_code(source.replace(BEFORE, "HAS_TRITON = True\n\n\n" + BEFORE, 1), self.path)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname != MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = Loader(fullname, spec.origin)
        return spec


sys.meta_path.insert(0, Finder())
