"""Whether this machine can fuse operations: torch.compile needs a C++ compiler."""

import shutil


def compiler() -> str | None:
    """The C++ compiler that torch.compile would use."""
    return next((path for name in ("g++", "clang++") if (path := shutil.which(name))), None)


def falls_back() -> type[Exception]:
    """What torch.compile raises when the compiler fails (no headers, no OpenMP)."""
    from torch._dynamo.exc import TorchDynamoException

    return TorchDynamoException
