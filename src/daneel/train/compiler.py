"""Whether this machine can fuse operations: torch.compile needs a C++ compiler."""

import os
import shutil
import sys


def compiler() -> str | None:
    """The C++ compiler that torch.compile would use, as torch._inductor.config.cpp.cxx says."""
    return shutil.which(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++"))


def falls_back() -> type[Exception]:
    """What torch.compile raises when the compiler fails (no headers, no OpenMP)."""
    from torch._dynamo.exc import TorchDynamoException

    return TorchDynamoException
