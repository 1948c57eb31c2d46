"""Networks from Python files that make a PyTorch module: the file is run, and its function ``network`` is called.

::

    import torch

    def network():
        module = torch.nn.Sequential(torch.nn.Linear(784, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
        return module, torch.zeros(1, 784)
"""

import runpy
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.objectives.network.importers.torch_fx import read_module
from dse.objectives.network.layers import Network
from dse.text import shown

SUFFIX = ".py"
MAKER = "network"
EXPECTED = f"expected a function {MAKER}() that returns a torch.nn.Module and an example input of one sample"


def read_python(path: Path) -> Network:
    """Network of the module that a file's ``network()`` returns, named like the file.

    Raises InputError where there is no such file or function, where its code fails, and as `read_module` does.
    """
    if not path.is_file():
        raise InputError("no such file", file=shown(path))
    made = _made(path)
    if not (isinstance(made, tuple) and len(made) == 2 and hasattr(made[0], "eval")):
        raise InputError(f"{MAKER}() returned {type(made).__name__}: {EXPECTED}", file=shown(path))
    module, example = made
    return read_module(module.eval(), example, path.stem)


def _made(path: Path) -> Any:
    """What the file's function returns."""
    try:
        found = runpy.run_path(str(path)).get(MAKER)
        if not callable(found):
            raise InputError(f"has no function {MAKER}: {EXPECTED}", file=shown(path))
        return found()
    except InputError:
        raise
    except ModuleNotFoundError as problem:
        raise InputError(f"needs the package {problem.name}", file=shown(path)) from None
    except Exception as problem:  # whatever a user's file raises is told in a line
        reason = str(problem).partition("\n")[0]
        raise InputError(f"fails: {type(problem).__name__}: {reason}", file=shown(path)) from None
