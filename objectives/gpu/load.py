"""Workloads and networks by whatever names them: packaged ones, layer tables, ONNX files, profiled counts."""

from pathlib import Path

from dse.errors import InputError
from dse.objectives.gpu.profiler import RUN_SUFFIX, profiled_workload, read_run
from dse.objectives.gpu.profiles import load_profile
from dse.objectives.gpu.traffic import Model, Workload, load_model, workload_of
from dse.objectives.network.importers.onnx import SUFFIX as ONNX_SUFFIX
from dse.objectives.network.importers.onnx import read_onnx


def load_workload(name: str, phase: str | None, batch: int | None, profile: str) -> Workload:
    """A workload by name, from a layer table, an ONNX file or profiled counts (``.counts.json``)."""
    if name.endswith(RUN_SUFFIX):
        run = read_run(Path(name))
        if phase not in (None, run.phase) or batch not in (None, run.batch):
            raise InputError(f"{name} holds counts of {run.phase}, batch {run.batch}: leave out --phase and --batch")
        return profiled_workload(run)
    load_profile(profile)
    return workload_of(model_of(name), phase, batch, profile)


def model_of(name: str) -> Model:
    """Network or transformer by its name, or network from a file of one's own: table, configuration or ``.onnx``."""
    return read_onnx(Path(name)) if name.endswith(ONNX_SUFFIX) else load_model(name)
